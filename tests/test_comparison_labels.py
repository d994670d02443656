"""What rows of a comparison are called."""

from __future__ import annotations

import pytest

from mtsbench.comparison.labels import LONGEST, row_labels, run_names


@pytest.fixture
def variant(make_run, make_description):
    """A run of DeepMTS with these changes of its method."""

    def variant(name="01234567", label="deepmts", **changes):
        method = {**make_description().method, **changes}
        return make_run(make_description(name=f"npc-{label}-{name}", method=method), label=label)

    return variant


def test_a_model_that_has_one_run_is_called_by_its_name(variant):
    assert row_labels([variant(), variant(label="km")]) == ["deepmts", "km"]


def test_runs_of_one_model_are_told_apart_by_the_settings_in_which_they_differ(variant):
    runs = [
        variant(
            "a", options={"width": 8, "loss": "dice"}, training={"rates": [[0, 0.1], [5, 0.01]]}
        ),
        variant("b", options={"width": 8, "loss": "tversky"}, training={"rates": [[0, 0.1]]}),
    ]

    assert row_labels(runs) == [
        "deepmts loss=dice, training.rates=0:0.1,5:0.01",
        "deepmts loss=tversky, training.rates=0:0.1",
    ]


def test_a_setting_that_only_one_run_names_is_at_its_default_in_the_others(variant):
    plain, other = variant("a", training={}), variant("b", training={"precision": "bf16"})

    assert row_labels([plain, other]) == [
        "deepmts training.precision=default",
        "deepmts training.precision=bf16",
    ]


@pytest.mark.parametrize(
    ("left", "right"),
    [({}, {"versions": {"mtsbench": "0.2"}}), ({}, {"options": {"width": "8" * LONGEST}})],
)
def test_the_hash_stands_where_settings_are_equal_or_too_long(variant, left, right):
    labels = row_labels([variant("aaaaaaaa", **left), variant("bbbbbbbb", **right)])

    assert labels == ["deepmts aaaaaaaa", "deepmts bbbbbbbb"]


def test_use_of_the_true_mask_is_told_behind_all_else(variant):
    runs = [variant("a", options={"w": 1}), variant("b", options={"w": 2}, needs_mask_at_test=True)]

    assert row_labels(runs) == ["deepmts w=1", "deepmts w=2 (given the true mask)"]
    assert run_names(runs) == ["deepmts w=1", "deepmts w=2"]
