"""What a component declares is seen the same under every Python."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest
import torch
from torch import nn

from mtsbench.capabilities import (
    gives_curves,
    has_network_inside,
    has_one_size,
    has_smallest_size,
    is_fold_metric,
    is_patient_metric,
    knows_hazard,
    knows_masks,
    missing_members,
    takes_networks,
)
from mtsbench.composition import Part
from mtsbench.engine.deep_model import DeepModel
from mtsbench.engine.image_size import check_size
from mtsbench.errors import DataError
from mtsbench.interfaces import CurveHead, KnownMasks, Score

ROOT = Path(__file__).parents[1]
SOURCES = [*ROOT.glob("mtsbench/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py")]
ABSENT = object()


@pytest.fixture
def python_3_12(monkeypatch):
    """`isinstance` with a protocol looks as it does since Python 3.12, past `__getattr__`."""
    metaclass = type(CurveHead)
    before = metaclass.__instancecheck__

    def static(cls, instance):
        if not getattr(cls, "_is_protocol", False) or not cls._is_runtime_protocol:
            return before(cls, instance)
        names = [name for one in cls.__mro__ for name in getattr(one, "__annotations__", {})]
        names += [name for name in vars(cls) if not name.startswith("_")]
        return all(inspect.getattr_static(instance, name, ABSENT) is not ABSENT for name in names)

    monkeypatch.setattr(metaclass, "__instancecheck__", static)


def test_curves_of_a_head_that_keeps_its_grid_in_a_buffer_are_given(phantom, python_3_12):
    model = DeepModel(phantom.composition(head=Part(name="curves")), phantom.components(), "cpu")

    model.fit(
        phantom.patients(18),
        phantom.patients(12, seed=1),
        phantom.context(phantom.settings(epochs=1, steps_per_epoch=1)),
    )
    predictions = model.predict(phantom.patients(6, seed=2).cohort)

    assert predictions.survival.shape == (6, 7)
    assert (predictions.survival[:, -1] < 1).all()  # the baseline was learnt too


class SizesInBuffers(nn.Module):
    multiple = 1

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("only_size", torch.tensor([8, 8, 8]))
        self.register_buffer("smallest_side", torch.tensor(8))


def test_sizes_that_a_backbone_keeps_in_buffers_are_kept_to(python_3_12):
    assert has_one_size(SizesInBuffers())
    assert has_smallest_size(SizesInBuffers())
    with pytest.raises(DataError, match="backbone 'fixed' needs exactly"):
        check_size(SizesInBuffers(), "fixed", (8, 8, 16))


class Behind:
    """Answers for another object, as a wrapper does."""

    def __init__(self, **members: object) -> None:
        self.__dict__["members"] = members

    def __getattr__(self, name: str) -> object:
        if name not in self.__dict__["members"]:
            raise AttributeError(name)
        return self.__dict__["members"][name]


@pytest.mark.parametrize(
    ("declares", "members"),
    [
        (gives_curves, "survival_time survival_reading learn_baseline survival_curves"),
        (has_network_inside, "composition"),
        (has_one_size, "only_size"),
        (has_smallest_size, "smallest_side"),
        (is_fold_metric, "higher_is_better within_fold"),
        (is_patient_metric, "higher_is_better per_patient"),
        (takes_networks, "take_networks"),
        (knows_hazard, "oracle_risk factors"),
        (knows_masks, "has_mask"),
    ],
)
def test_a_capability_is_declared_by_all_its_members_and_by_no_fewer(
    declares, members, python_3_12
):
    all_members = dict.fromkeys(members.split(), 1)

    assert declares(Behind(**all_members))
    for name in all_members:
        assert not declares(Behind(**{one: 1 for one in all_members if one != name}))


def test_the_members_that_are_missing_are_named_in_the_protocols_order():
    assert missing_members(Behind(learn_baseline=1), CurveHead) == (
        "survival_time",
        "survival_reading",
        "survival_curves",
    )
    assert missing_members(Score(value=1.0), KnownMasks) == ("has_mask",)


def protocols() -> dict[str, ast.ClassDef]:
    return {
        node.name: node
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and any("Protocol" in ast.unparse(b) for b in node.bases)
    }


def test_no_protocol_with_data_can_be_asked_by_isinstance():
    found = protocols()
    with_data = [
        name
        for name, node in found.items()
        if any("runtime_checkable" in ast.unparse(one) for one in node.decorator_list)
        and any(isinstance(member, ast.AnnAssign) for member in node.body)
    ]

    assert {"CurveHead", "KnownMasks"} <= set(found)
    assert with_data == []


def test_nothing_is_decided_by_isinstance_of_a_protocol():
    names = set(protocols())
    asked = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "isinstance"
        and names & {one.id for one in ast.walk(node.args[1]) if isinstance(one, ast.Name)}
    ]

    assert asked == []
