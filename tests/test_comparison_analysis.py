from __future__ import annotations

import numpy as np
import pytest

from mtsbench.errors import OptionError


def test_every_run_has_its_concordance_and_interval(analysed):
    found = analysed("a", {"a": 0.5, "b": 3.0})

    one, two = found.entries
    assert found.reference is one
    assert set(found.comparisons) == {"b"}
    assert one.c_index > two.c_index
    assert one.interval[0] < one.c_index < one.interval[1]


def test_the_reference_stands_first_among_the_leading(analysed):
    found = analysed("c", {"a": 0.3, "b": 1.0, "c": 50.0})

    assert [entry.label for entry in found.leading(2)] == ["c", "a"]
    assert len(found.leading(9)) == 3


@pytest.mark.parametrize(
    ("name", "said"), [("nobody", "names no run; choose one of npc-pfs-a-demo")]
)
def test_a_reference_that_is_no_run_is_refused(analysed, name, said):
    with pytest.raises(OptionError, match=f"--reference '{name}' {said}"):
        analysed(name, {"a": 0.5, "b": 3.0})


def test_a_reference_that_names_two_runs_is_refused(stored):
    from mtsbench.comparison.analysis import analyse
    from mtsbench.comparison.comparable import read_run

    store = stored(label="a")

    with pytest.raises(OptionError, match="names 2 runs; choose one of"):
        analyse([(read_run(store), store), (read_run(store), store)], "a")


def test_runs_without_any_comparable_pair_have_no_concordance(analysed, monkeypatch):
    import mtsbench.comparison.analysis as module
    from mtsbench.errors import UndefinedMetricError

    def undefined(tested):
        raise UndefinedMetricError("no comparable pair")

    monkeypatch.setattr(module, "cross_validated", undefined)

    entry = analysed(None, {"a": 1.0}).entries[0]

    assert entry.c_index is None
    assert entry.interval is None
    assert entry.no_interval == "no comparable pair"
    assert np.isfinite(entry.cost.training)
