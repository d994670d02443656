"""Which executor a run was asked for, and what cannot be asked."""

from __future__ import annotations

import pytest

from mtsbench.errors import OptionError, UnknownComponentError
from mtsbench.executors.chosen import build_executor, check_executor
from mtsbench.plugins import load_components


@pytest.fixture
def components(tiny_installed):
    return load_components()


def test_an_executor_is_built_with_its_options(components):
    found = build_executor(components, "in-order", {"lose": "2"}, jobs=1)

    assert (type(found).__name__, found.lose) == ("InOrder", 2)


def test_without_a_name_there_is_none(components):
    assert build_executor(components, None, {}, jobs=4) is None


@pytest.mark.parametrize("refuse", [build_executor, check_executor])
@pytest.mark.parametrize(
    ("name", "settings", "jobs", "error", "message"),
    [
        ("in-ordr", {}, 1, UnknownComponentError, "Did you mean 'in-order'"),
        ("in-order", {"loose": "2"}, 1, OptionError, "has no option 'loose'"),
        (None, {"lose": "2"}, 1, OptionError, r"'executor.lose' is of an executor, and none is"),
        ("in-order", {}, 2, OptionError, "leave jobs at 1; its options: lose, breaks"),
    ],
)
def test_what_does_not_fit_is_refused(components, refuse, name, settings, jobs, error, message):
    with pytest.raises(error, match=message):
        refuse(components, name, settings, jobs)
