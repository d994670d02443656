from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mtsbench.metrics.pairs import follow_up_order, pair_sums


@st.composite
def rows(draw):
    """Order, rank and weight of up to twenty patients, with ties and with gaps in the ranks."""
    count = draw(st.integers(1, 20))

    def some(low, high):
        return np.array(draw(st.lists(st.integers(low, high), min_size=count, max_size=count)))

    return some(0, 6), some(0, 40), some(0, 3)


@given(rows())
def test_sums_over_pairs_are_those_of_a_double_loop(drawn):
    order, rank, weight = drawn
    leads = (order[:, None] < order) * weight[:, None]
    riskier, tied = rank[:, None] > rank, rank[:, None] == rank

    found = pair_sums(*drawn)

    assert found.riskier.tolist() == (leads * riskier).sum(axis=1).tolist()
    assert found.tied.tolist() == (leads * tied).sum(axis=1).tolist()
    assert found.comparable.tolist() == leads.sum(axis=1).tolist()
    assert found.led_by_riskier.tolist() == (leads * riskier).sum(axis=0).tolist()
    assert found.led_by_tied.tolist() == (leads * tied).sum(axis=0).tolist()
    assert found.led.tolist() == leads.sum(axis=0).tolist()


def test_the_censored_are_followed_longer_than_events_of_their_day():
    order = follow_up_order(np.array([5.0, 5.0, 5.0, 3.0]), np.array([True, False, True, False]))

    assert np.argsort(order, kind="stable").tolist() == [3, 0, 2, 1]
    assert order[0] == order[2] < order[1]
