from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtsbench.data import ClinicalVariable
from mtsbench.errors import DataError
from mtsbench.preprocessing import ClinicalEncoder
from mtsbench.preprocessing.clinical import NumericCode

AGE = ClinicalVariable(name="age", kind="numeric")
STAGE = ClinicalVariable(name="stage", kind="categorical")
NUMBERS = st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1, max_size=30)
LEVELS = st.lists(st.none() | st.sampled_from(["I", "II", "III", "IVA"]), min_size=1, max_size=30)


def rows_of(name: str, values) -> dict[str, dict[str, object]]:
    return {f"P{number}": {name: value} for number, value in enumerate(values)}


def fitted(variable: ClinicalVariable, values) -> tuple[ClinicalEncoder, np.ndarray]:
    rows = rows_of(variable.name, values)
    encoder = ClinicalEncoder.fit([variable], rows)
    return encoder, np.array([encoder.encode(case_id, row) for case_id, row in rows.items()])


def test_a_numeric_variable_is_standardised_with_training_values():
    encoder, _ = fitted(AGE, [50.0, 60.0, 70.0])

    assert encoder.feature_names == ("age",)
    features = encoder.encode("T1", {"age": 80.0})
    assert features.dtype == np.float32
    assert features.tolist() == pytest.approx([20 / np.std([50, 60, 70])])


def test_a_missing_number_is_the_training_mean_and_says_so_if_training_knew_missing_ones():
    knows, _ = fitted(AGE, [50.0, None, 70.0])
    knows_not, _ = fitted(AGE, [50.0, 70.0])

    assert knows.feature_names == ("age", "age_missing")
    assert knows.encode("T1", {"age": None}).tolist() == [0.0, 1.0]
    assert knows.encode("T1", {"age": 60.0}).tolist() == [0.0, 0.0]
    assert knows_not.feature_names == ("age",)
    assert knows_not.encode("T1", {"age": None}).tolist() == [0.0]


@given(values=NUMBERS)
def test_training_numbers_have_mean_zero_and_sd_one(values):
    encoder, features = fitted(AGE, values)

    known = [row for row, value in enumerate(values) if value is not None]
    if "age" not in encoder.feature_names:
        assert len({values[row] for row in known}) <= 1 or np.std([values[r] for r in known]) == 0
        return
    column = features[known, encoder.feature_names.index("age")].astype(np.float64)
    spread = np.std([values[row] for row in known])
    tolerance = 1e-4 + 1e-10 / spread
    assert column.mean() == pytest.approx(0.0, abs=tolerance)
    assert column.std() == pytest.approx(1.0, abs=tolerance)


@given(values=NUMBERS, shift=st.integers(0, 29))
def test_the_order_of_training_cases_changes_nothing(values, shift):
    rows = list(rows_of("age", values).items())
    turned = rows[shift % len(rows) :] + rows[: shift % len(rows)]

    first, second = (ClinicalEncoder.fit([AGE], dict(order)) for order in (rows, turned))

    assert first == second


@given(values=LEVELS)
def test_one_hot_features_are_the_training_levels_without_the_reference(values):
    encoder, features = fitted(STAGE, values)

    known = [value for value in values if value is not None]
    most = max((known.count(level) for level in known), default=0)
    reference = min((level for level in known if known.count(level) == most), default=None)
    one_hot = [f"stage={level}" for level in sorted(set(known) - {reference})]
    indicator = ["stage_missing"] if 0 < len(known) < len(values) else []
    assert list(encoder.feature_names) == one_hot + indicator
    for value, row in zip(values, features, strict=True):
        named = dict(zip(encoder.feature_names, row.tolist(), strict=True))
        expected = "stage_missing" if value is None else f"stage={value}"
        assert [name for name, feature in named.items() if feature] == (
            [] if value == reference else [expected]
        )


@given(values=st.one_of(NUMBERS, LEVELS))
def test_no_feature_is_constant_in_training(values):
    numeric = all(value is None or isinstance(value, float) for value in values)

    _, features = fitted(AGE if numeric else STAGE, values)

    numbers = [value for value in values if isinstance(value, float)]
    # Numbers may differ by less than float32 can show after standardisation.
    if not numbers or np.std(numbers) > 1e-4 * (1 + np.abs(numbers).max()):
        assert all(len(set(column)) > 1 for column in features.T)


def test_of_equally_frequent_levels_the_first_in_the_alphabet_is_the_reference():
    encoder, _ = fitted(STAGE, ["III", "II", "III", "II", "IVA"])

    assert encoder.feature_names == ("stage=III", "stage=IVA")


def test_an_unseen_level_is_coded_like_a_missing_value():
    with_missing, _ = fitted(STAGE, ["I", "I", "II", None])
    without_missing, _ = fitted(STAGE, ["I", "I", "II"])

    assert with_missing.encode("T1", {"stage": "IVB"}).tolist() == [0.0, 1.0]
    assert with_missing.encode("T1", {"stage": "IVB"}).tolist() == (
        with_missing.encode("T2", {"stage": None}).tolist()
    )
    assert without_missing.encode("T1", {"stage": "IVB"}).tolist() == [0.0]


@pytest.mark.parametrize(("variable", "value"), [(AGE, 61.0), (STAGE, "II"), (AGE, None)])
def test_a_constant_variable_gives_no_feature(variable, value):
    encoder, features = fitted(variable, [value, value, value])

    assert encoder.feature_names == ()
    assert features.shape == (3, 0)


def test_equal_values_are_constant_whatever_their_rounding():
    encoder, _ = fitted(AGE, [0.1] * 7)

    assert encoder.feature_names == ()


def test_a_constant_variable_that_is_missing_at_times_keeps_its_indicator():
    encoder, features = fitted(AGE, [61.0, None, 61.0])

    assert encoder.feature_names == ("age_missing",)
    assert features.ravel().tolist() == [0.0, 1.0, 0.0]


def test_numbers_are_levels_too():
    variable = ClinicalVariable(name="ecog", kind="categorical")

    encoder, _ = fitted(variable, [0.0, 0.0, 1.0, 2.5])

    assert encoder.feature_names == ("ecog=1", "ecog=2.5")
    assert encoder.encode("T1", {"ecog": "1"}).tolist() == [1.0, 0.0]


def test_features_follow_the_order_of_the_variables():
    rows = {
        "P1": {"stage": "I", "age": 50.0},
        "P2": {"stage": "II", "age": None},
        "P3": {"stage": "I", "age": 70.0},
    }

    encoder = ClinicalEncoder.fit([STAGE, AGE], rows)

    assert encoder.feature_names == ("stage=II", "age", "age_missing")


def test_text_that_reads_as_a_number_is_one():
    encoder, _ = fitted(AGE, ["50", 70.0])

    assert encoder.encode("T1", {"age": " 80 "}).tolist() == [2.0]


@pytest.mark.parametrize("value", ["old", "", "nan", float("nan"), float("inf"), 1e39])
def test_a_value_that_is_no_number_is_refused_with_case_and_column(value):
    message = r"case 'P1', clinical variable 'age': .* is not a usable number"

    with pytest.raises(DataError, match=message):
        fitted(AGE, [50.0, value])
    encoder, _ = fitted(AGE, [50.0, 60.0])
    with pytest.raises(DataError, match=message):
        encoder.encode("P1", {"age": value})


def test_a_number_that_standardises_to_no_float32_is_refused():
    encoder, _ = fitted(AGE, [0.0, 1e-30])

    with pytest.raises(DataError, match=r"'T1', clinical variable 'age': 1e\+30 is out of range"):
        encoder.encode("T1", {"age": 1e30})


def test_a_row_without_the_variable_is_refused():
    encoder, _ = fitted(AGE, [50.0, 60.0])

    with pytest.raises(DataError, match="'T1' has no clinical variable 'age', only sex; give None"):
        encoder.encode("T1", {"sex": "M"})


def test_two_features_of_one_name_are_refused():
    clash = ClinicalVariable(name="age_missing", kind="numeric")
    rows = {"P1": {"age": None, "age_missing": 0.0}, "P2": {"age": 50.0, "age_missing": 1.0}}

    with pytest.raises(DataError, match="two clinical features are called 'age_missing'"):
        ClinicalEncoder.fit([AGE, clash], rows)


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 0.0), (0.0, -1.0), (float("inf"), 1.0)])
def test_a_code_that_cannot_standardise_is_refused(mean, sd):
    with pytest.raises(DataError, match=r"clinical variable 'age': mean .* cannot standardise"):
        NumericCode(variable="age", mean=mean, sd=sd, missing_indicator=False)
