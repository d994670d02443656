"""Which runs answer the same question, and what tells other questions apart, in words."""

from __future__ import annotations

import pytest

from mtsbench.comparison.questions import (
    by_dataset,
    by_question,
    differences,
    section_names,
    tell_apart,
)
from mtsbench.errors import IncomparableRunsError


@pytest.fixture
def asked(make_description):
    """A description with some parts of its question changed."""
    usual = make_description().question

    def make(splits="5", name="run", **parts):
        protocol = {key: parts.pop(key) for key in ("repeats", "folds", "seeds") if key in parts}
        return make_description(
            name=name,
            splits_sha256=splits * 64,
            question={**usual, **parts, "protocol": {**usual["protocol"], **protocol}},
        )

    return make


def test_parts_that_follow_from_another_are_not_named(asked):
    assert differences(asked(), asked(folds=5, splits="6")) == {"folds": ("3", "5")}
    assert differences(asked(), asked(dataset="other", fingerprint="0" * 64, splits="6")) == {
        "dataset": ("npc", "other")
    }
    assert differences(asked(), asked(splits="6")) == {"splits": ("5" * 12, "6" * 12)}
    assert differences(asked(), asked()) == {}


def test_runs_of_one_question_are_one_group(asked, make_run):
    runs = [(make_run(asked(name=str(n), folds=folds)), None) for n, folds in enumerate((3, 5, 3))]

    groups = by_question(runs)

    assert [[run.description.name for run, _ in group] for group in groups] == [["0", "2"], ["1"]]


def test_datasets_of_one_protocol_are_groups_and_others_are_refused(asked, make_run):
    runs = [(make_run(asked(dataset=name, name=name)), None) for name in ("npc", "hecktor")]

    assert len(by_dataset(runs)) == 2
    other = (make_run(asked(dataset="third", name="third", seeds=[1])), None)
    with pytest.raises(
        IncomparableRunsError, match=r"^npc and third differ in seeds: 0 and 1; run both models"
    ):
        by_dataset([*runs, other])


def test_questions_are_told_apart_by_what_differs_and_by_nothing_else(asked):
    assert tell_apart([asked(), asked(folds=5, splits="6")]) == ("folds 3", "folds 5")
    assert tell_apart([asked(), asked(dataset="other", fingerprint="0" * 64)]) == ("", "")
    assert tell_apart([asked()]) == ("",)
    assert tell_apart([asked(), asked(fingerprint="0" * 64, splits="6")]) == (
        f"fingerprint {'f' * 12}",
        f"fingerprint {'0' * 12}",
    )


def test_sections_have_the_shortest_names_that_are_unique(asked):
    assert section_names([asked(), asked(endpoint="os")]) == ("npc-pfs", "npc-os")
    assert section_names([asked(), asked(folds=5)]) == ("npc-pfs-demo-3x1", "npc-pfs-demo-5x1")
    first, second = section_names([asked(), asked(fingerprint="0" * 64)])
    assert first.startswith("npc-pfs-demo-3x1-")
    assert first != second
