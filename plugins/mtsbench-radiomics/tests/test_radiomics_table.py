"""Feature tables: what they refuse, how they are joined."""

from __future__ import annotations

import numpy as np
import pytest
from mtsbench_radiomics.features.table import FeatureTable
from mtsbench_radiomics.models.sources import stacked

from mtsbench.errors import DataError


def table(case_ids="AB", names="xy", values=None, reasons=None) -> FeatureTable:
    shape = (len(case_ids), len(names))
    return FeatureTable(
        case_ids=tuple(case_ids),
        names=tuple(names),
        values=np.arange(float(np.prod(shape))).reshape(shape) if values is None else values,
        reasons=reasons or {},
    )


def test_a_selection_has_the_features_asked_for_in_that_order():
    assert table(names="xyz").select(["z", "x"]).values.tolist() == [[2, 0], [5, 3]]


def test_joined_tables_have_the_features_and_the_first_reason_of_both():
    joined = table(reasons={"A": "first"}).join(
        table(names="z", reasons={"A": "second", "B": "third"})
    )

    assert joined.names == ("x", "y", "z")
    assert joined.values.tolist() == [[0, 1, 0], [2, 3, 1]]
    assert joined.reasons == {"A": "first", "B": "third"}


def test_stacked_tables_miss_a_feature_that_one_could_not_measure():
    empty = table("C", "", np.empty((1, 0)), {"C": "the region is empty"})

    together = stacked(table(), empty)

    assert together.case_ids == ("A", "B", "C")
    assert np.isnan(together.values[2]).all()
    assert together.reasons == {"C": "the region is empty"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: table(values=np.zeros((3, 2))), r"must have shape \(2, 2\), got \(3, 2\)"),
        (lambda: table(names="xx"), "feature 'x' appears twice"),
        (lambda: table("AA"), "case 'A' appears twice"),
        (
            lambda: table(values=np.array([[0.0, 1.0], [2.0, np.inf]])),
            "case 'B': feature 'y' is infinite",
        ),
        (lambda: table().select(["z"]), "hold no 'z', which the model was fitted with"),
        (lambda: table().join(table("BA", "z")), "must hold the same cases in the same order"),
        (lambda: table().join(table(names="y")), "feature 'y' appears twice"),
    ],
)
def test_a_table_that_cannot_be_is_refused(make, message):
    with pytest.raises(DataError, match=message):
        make()
