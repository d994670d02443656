from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mtsbench.comparison.cost import cost, pareto


def test_costs_are_means_over_trials(make_run, make_record):
    records = [
        make_record(fold, phase_seconds={"fit": fit, "predict": 5.0}, peak_memory_mib=memory)
        for fold, (fit, memory) in enumerate([(10.0, 500.0), (20.0, 700.0)])
    ]

    found = cost(make_run(records=records))

    assert (found.training, found.inference, found.memory) == (15.0, 0.1, 700.0)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12))
def test_no_model_beats_one_of_the_front_and_some_model_beats_every_other(points):
    front = pareto(*zip(*points, strict=True))

    assert any(front)
    for point, best in zip(points, front, strict=True):
        beaten = [o for o in points if o != point and o[0] >= point[0] and o[1] <= point[1]]
        assert best == (not beaten)
