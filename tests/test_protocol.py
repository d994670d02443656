from __future__ import annotations

from types import SimpleNamespace

import pytest

from mtsbench.composition import Composition, Part, TrainingSettings
from mtsbench.errors import OptionError
from mtsbench.protocol import (
    Protocol,
    choose_preset,
    default_protocol,
    geometry,
    training_budget,
)

DATASET = SimpleNamespace(natural_size=(96, 128, 64), natural_spacing=(3.0, 2.0, 4.0))
COMPOSITION = Composition(
    backbone=Part(name="b"),
    head=Part(name="h"),
    losses=(),
    paper_size=(112, 112, 48),
    paper_spacing=(1.0, 1.0, 3.0),
)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"folds": 1}, "folds must be at least 2, got 1"),
        ({"repeats": 0}, "repeats must be at least 1, got 0"),
        ({"seeds": ()}, r"seeds must be one or more different numbers >= 0, got \(\)"),
        ({"seeds": (0, -1)}, r"numbers >= 0, got \(0, -1\)"),
        (
            {"seeds": (0, 1, 0)},
            r"seeds must be one or more different numbers >= 0, got \(0, 1, 0\)",
        ),
        ({"validation_share": 0.0}, r"validation_share must be in \(0, 0.5\], got 0"),
        ({"validation_share": 0.51}, r"validation_share must be in \(0, 0.5\], got 0.51"),
        ({"validation_share": float("nan")}, r"validation_share must be in \(0, 0.5\], got nan"),
    ],
)
def test_an_impossible_protocol_is_refused(changes, message):
    with pytest.raises(OptionError, match=message):
        Protocol(**changes)


def test_the_least_possible_protocol_is_accepted():
    assert Protocol(folds=2, repeats=1, seeds=(7,), validation_share=0.5).seeds == (7,)


def test_the_preset_follows_the_machine_only_if_left_open():
    assert choose_preset("auto", cuda=True) == "standard"
    assert choose_preset("auto", cuda=False) == "demo"
    for name in ("demo", "standard", "paper"):
        assert choose_preset(name, cuda=True) == choose_preset(name, cuda=False) == name


def test_an_unknown_preset_is_refused():
    with pytest.raises(OptionError, match="auto, demo, standard or paper, got 'fast'"):
        choose_preset("fast", cuda=False)


def test_only_the_demo_has_three_folds():
    assert [default_protocol(name).folds for name in ("demo", "standard", "paper")] == [3, 5, 5]


def test_all_but_the_demo_repeat_enough_for_a_test():
    assert [default_protocol(name).repeats for name in ("demo", "standard", "paper")] == [1, 3, 3]


def test_the_demo_sees_the_natural_field_of_view_on_a_coarse_grid():
    size, spacing = geometry("demo", DATASET, COMPOSITION)

    assert size == (32, 32, 32)
    assert [n * s for n, s in zip(size, spacing, strict=True)] == [96 * 3.0, 128 * 2.0, 64 * 4.0]


def test_the_paper_preset_has_the_published_geometry_where_there_is_one():
    assert geometry("paper", DATASET, COMPOSITION) == ((112, 112, 48), (1.0, 1.0, 3.0))
    assert geometry("paper", DATASET, None) == ((96, 128, 64), (3.0, 2.0, 4.0))
    assert geometry("standard", DATASET, COMPOSITION) == ((96, 128, 64), (3.0, 2.0, 4.0))


def test_only_the_demo_shortens_the_published_training():
    published = TrainingSettings(batch_size=6, rotation=7.0, epochs=300)

    demo = training_budget("demo", published)

    assert training_budget("standard", published) is published
    assert training_budget("paper", published) is published
    assert (demo.batch_size, demo.rotation) == (6, 7.0)
    assert demo.epochs * demo.steps_per_epoch < 300
    assert demo.select_by == "c-index+dice"
