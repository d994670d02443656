from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, Field

from mtsbench.composition import TrainingSettings
from mtsbench.errors import OptionError, PluginError
from mtsbench.options import (
    UNSAID,
    Option,
    describe_type,
    did_you_mean,
    field_table,
    format_value,
    option_table,
    parse_assignments,
    replace_fields,
    said_options,
    split_settings,
    validate,
)

if TYPE_CHECKING:
    from a_package_for_type_checkers import Elsewhere


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError("must be odd")
    return value


def build(
    supplied: Elsewhere,
    *,
    dropout: Annotated[float, Field(ge=0, lt=1, description="Share dropped")] = 0.5,
    depth: int = 3,
    balanced: bool = True,
    mode: Literal["range", "choice"] = "range",
    size: tuple[int, int, int] = (1, 2, 3),
    layers: tuple[str, ...] = (),
    rates: tuple[tuple[int, float], ...] = ((0, 0.1),),
    momentum: float | None = None,
    kernel: Annotated[int, AfterValidator(_odd)] = 3,
) -> object:
    return supplied


def check(**given: object) -> dict[str, object]:
    return validate("model 'm'", build, given)


def test_the_table_has_types_defaults_and_descriptions_of_keyword_parameters_only():
    table = option_table(build)

    assert table[0] == Option(
        name="dropout", type="float in [0, 1)", default=0.5, description="Share dropped"
    )
    assert [option.name for option in table] == [
        *("dropout", "depth", "balanced", "mode", "size", "layers", "rates", "momentum", "kernel")
    ]
    assert table[3].type == "one of 'range', 'choice'"


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (int, "int"),
        (float | None, "float or none"),
        (tuple[int, int, int], "int,int,int"),
        (tuple[str, ...], "str,..."),
        (tuple[tuple[int, float], ...], "int:float,..."),
        (Annotated[int, Field(gt=0)], "int > 0"),
        (Annotated[int, Field(ge=1, multiple_of=2)], "int >= 1, a multiple of 2"),
        (Annotated[float, Field(gt=0, le=0.5)], "float in (0, 0.5]"),
        (Annotated[float, Field(lt=0)], "float < 0"),
        (Annotated[str, Field(min_length=1, pattern="a+")], "str of length >= 1, matching a+"),
        (Literal["only"], "one of 'only'"),
    ],
)
def test_a_type_is_described_as_it_is_typed(hint, text):
    assert describe_type(hint) == text


def test_without_values_the_defaults_are_given():
    assert check() == {
        "dropout": 0.5,
        "depth": 3,
        "balanced": True,
        "mode": "range",
        "size": (1, 2, 3),
        "layers": (),
        "rates": ((0, 0.1),),
        "momentum": None,
        "kernel": 3,
    }


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("dropout", "0", 0.0),
        ("depth", "7", 7),
        ("balanced", "false", False),
        ("mode", "choice", "choice"),
        ("size", "4, 5,6", (4, 5, 6)),
        ("layers", "a,b", ("a", "b")),
        ("layers", "a", ("a",)),
        ("layers", "", ()),
        ("rates", "0:1e-3,80:1e-4", ((0, 1e-3), (80, 1e-4))),
        ("momentum", "0.1", 0.1),
        ("momentum", "none", None),
        ("size", [4, 5, 6], (4, 5, 6)),
        ("rates", [[0, 0.5]], ((0, 0.5),)),
        ("dropout", 0, 0.0),
    ],
)
def test_text_and_stored_json_are_converted_to_the_type(name, text, value):
    found = check(**{name: text})[name]

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("dropout", "1.0", r"^option 'dropout' of model 'm' must be float in \[0, 1\), got '1.0'$"),
        ("dropout", "nan", r"must be float in \[0, 1\), got 'nan'$"),
        ("momentum", "inf", r"must be float or none, got 'inf'$"),
        ("depth", "three", r"^option 'depth' of model 'm' must be int, got 'three'$"),
        ("depth", "none", r"must be int, got 'none'$"),
        ("balanced", "maybe", r"must be bool, got 'maybe'$"),
        ("mode", "rnage", r"must be one of 'range', 'choice', got 'rnage'$"),
        ("size", "4,5", r"must be int,int,int, got '4,5'$"),
        ("size", "4,5,x", r"must be int,int,int, got '4,5,x'$"),
        ("rates", "0:1:2", r"must be int:float,\.\.\., got '0:1:2'$"),
        ("depth", 2.5, r"must be int, got 2\.5$"),
        ("kernel", "4", r"must be int, got '4': Value error, must be odd$"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_expected(name, value, message):
    with pytest.raises(OptionError, match=message):
        check(**{name: value})


def test_an_unknown_option_gets_a_suggestion_and_the_list():
    with pytest.raises(
        OptionError,
        match=r"^model 'm' has no option 'dropot'\. Did you mean 'dropout'\? Options: dropout, .*"
        r"kernel\.$",
    ):
        check(dropot="0.1")


def test_a_component_without_options_says_so():
    with pytest.raises(OptionError, match=r"^loss 'l' has no option 'x'\. Options: none\.$"):
        validate("loss 'l'", lambda: None, {"x": "1"})


def test_an_option_without_type_or_default_is_the_authors_mistake():
    def untyped(*, depth=3):
        return depth

    def without_default(*, depth: int):
        return depth

    for wrong in (untyped, without_default):
        with pytest.raises(PluginError, match="option 'depth' needs a type and a default"):
            option_table(wrong)


def test_an_option_whose_type_is_only_for_type_checkers_is_the_authors_mistake():
    def hidden(*, choice: Elsewhere | None = None):
        return choice

    with pytest.raises(
        PluginError, match=r"cannot be read: name 'Elsewhere' .* import it outside TYPE_CHECKING"
    ):
        option_table(hidden)


Width = Annotated[int, Field(ge=1)]


class Inherited:
    def __init__(self, channels: Elsewhere, *, width: Width = 8) -> None:
        self.width = width


class Callable:
    def __call__(self, *, width: Width = 8) -> int:
        return width


@functools.cache
def cached(*, width: Width = 8) -> int:
    return width


@pytest.mark.parametrize(
    "builder",
    [
        Inherited,
        type("Child", (Inherited,), {}),
        Callable(),
        functools.partial(Inherited, "channels"),
        cached,
    ],
)
def test_classes_partials_and_wrapped_functions_can_build(builder):
    assert [option.name for option in option_table(builder)] == ["width"]
    assert validate("backbone 'b'", builder, {"width": "16"}) == {"width": 16}


def test_assignments_are_split_at_the_first_equals_sign():
    assert parse_assignments(["a=1", " b = x=y ", "c="]) == {"a": "1", "b": "x=y", "c": ""}


@pytest.mark.parametrize("text", ["dropout", "=3", ""])
def test_an_assignment_needs_a_name_and_an_equals_sign(text):
    with pytest.raises(OptionError, match=rf"--set needs NAME=VALUE, got '{text}'"):
        parse_assignments([text])


def test_an_option_cannot_be_set_twice():
    with pytest.raises(OptionError, match=r"--set gives 'a' twice, '1' and '2'; keep one"):
        parse_assignments(["a=1", "a=2"])


def test_fields_of_a_record_are_replaced_and_the_rest_is_kept():
    before = TrainingSettings(patience=7)

    after = replace_fields(
        before,
        {"epochs": "3", "learning_rates": "0:0.01,2:0.001", "batch_norm_momentum": "0.1"},
        "training",
    )

    assert after == TrainingSettings(
        patience=7,
        epochs=3,
        learning_rates=((0, 0.01), (2, 0.001)),
        batch_norm_momentum=0.1,
    )
    assert before == TrainingSettings(patience=7)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epoch": "3"}, r"^training has no option 'epoch'\. Did you mean 'epochs'\? Options: "),
        ({"epochs": "few"}, r"^option 'epochs' of training must be int >= 1, got 'few'$"),
        ({"select_by": "loss"}, r"must be one of 'c-index', 'dice', 'c-index\+dice', got 'loss'$"),
        ({"learning_rates": "0.1"}, r"must be int:float > 0,\.\.\., got '0\.1'$"),
    ],
)
def test_a_field_is_checked_as_an_option_is(given, message):
    with pytest.raises(OptionError, match=message):
        replace_fields(TrainingSettings(), given, "training")


@dataclass(frozen=True, kw_only=True)
class Window:
    low: int = 0
    high: int = 1

    def __post_init__(self) -> None:
        if self.low >= self.high:
            raise ValueError(f"low must be below high, got {self.low} and {self.high}")


def test_what_the_record_itself_refuses_is_an_option_error():
    with pytest.raises(OptionError, match=r"^window: low must be below high, got 5 and 1$"):
        replace_fields(Window(), {"low": "5"}, "window")


def test_the_fields_of_a_record_are_listed_with_its_values():
    table = {option.name: option for option in field_table(TrainingSettings(epochs=9))}

    assert table["epochs"] == Option(name="epochs", type="int >= 1", default=9)
    assert table["learning_rates"].type == "int:float > 0,..."
    assert format_value(table["learning_rates"].default) == "0:0.0001"


FINITE = st.floats(allow_nan=False, allow_infinity=False)
WORDS = st.text(alphabet=st.characters(categories=["L", "N"]), min_size=1)


@given(
    dropout=st.floats(min_value=0, max_value=math.nextafter(1, 0)),
    depth=st.integers(-(10**15), 10**15),
    balanced=st.booleans(),
    size=st.tuples(*[st.integers(-99, 99)] * 3),
    layers=st.lists(WORDS).map(tuple),
    rates=st.lists(st.tuples(st.integers(0, 99), FINITE)).map(tuple),
    momentum=st.none() | FINITE,
)
def test_a_value_as_shown_can_be_set_again(**values):
    texts = {name: format_value(value) for name, value in values.items()}

    assert check(**texts) == {**check(), **values}


def test_a_suggestion_ignores_case_and_keeps_silent_when_nothing_is_near():
    assert did_you_mean("DeepMTS", ["deepmts", "radiomics-cox"]) == " Did you mean 'deepmts'?"
    assert did_you_mean("zzz", ["deepmts"]) == ""


def test_an_option_marked_as_unsaid_is_told_only_where_it_differs_from_its_default():
    def build(*, width: int = 8, bins: Annotated[float, Field(gt=0), UNSAID] = 2.0):
        return width, bins

    assert said_options(build, validate("net", build, {})) == {"width": 8}
    assert said_options(build, validate("net", build, {"bins": "3"})) == {"width": 8, "bins": 3.0}


def test_settings_of_a_namespace_are_told_apart_and_lose_its_name():
    given = {"tracker.mlflow.experiment": "a", "dropout": "0.1", "tracker": "b"}

    own, others = split_settings(given, "tracker")

    assert own == {"mlflow.experiment": "a"}
    assert others == {"dropout": "0.1", "tracker": "b"}
