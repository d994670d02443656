"""Pairs of patients that agree or disagree in order, counted in O(N log N)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mtsbench.tied_times import merge_equal_times

if TYPE_CHECKING:
    from numpy.typing import NDArray

    # int64 where the pairs are counted, so that counts are exact; float64 where they are weighted.
    Amounts = NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class PairSums:
    """For each patient, the weight of the comparable pairs that it is in.

    Attributes:
        riskier: (N,) pairs that this patient leads and in which it has the higher risk.
        tied: (N,) pairs that it leads, of equal risks.
        comparable: (N,) all pairs that it leads.
        led_by_riskier: (N,) pairs that it is later in, led by a patient of higher risk.
        led_by_tied: (N,) pairs that it is later in, of equal risks.
        led: (N,) all pairs that it is later in.
        tied_events: Pairs of two events at one time, of different risks; not comparable.
        tied_both: Pairs of two events at one time, of equal risks; not comparable.
    """

    riskier: Amounts
    tied: Amounts
    comparable: Amounts
    led_by_riskier: Amounts
    led_by_tied: Amounts
    led: Amounts
    tied_events: float
    tied_both: float


def follow_up_order(time: NDArray[np.float64], event: NDArray[np.bool_]) -> NDArray[np.intp]:
    """(N,) order of follow-up: a leads b where a had the event and order[a] < order[b].

    A patient censored at the time of an event was followed for longer; events at one time share
    their place, so neither leads the other. Times that differ only by rounding are one time.
    """
    return 2 * np.unique(merge_equal_times(time), return_inverse=True)[1] + ~event


def pair_sums(order: NDArray[np.intp], rank: NDArray[np.intp], weight: Amounts) -> PairSums:
    """Sum over the pairs that each patient is in.

    Args:
        order: (N,) from `follow_up_order`.
        rank: (N,) dense ranks of the risk.
        weight: (N,) weight of each pair that a patient leads; 0 for one who leads none.
    """
    # Within one order by rank, so that patients of the same order never count as a pair.
    by_order = np.argsort(order * (rank.max(initial=0) + 1) + rank)
    smaller, larger = np.empty(len(order), dtype=np.int64), np.empty_like(weight)
    smaller[by_order], larger[by_order] = _after_and_before(rank[by_order], weight[by_order])
    at_order = np.bincount(order)
    up_to, together = np.cumsum(at_order)[order], at_order[order] - 1
    led = _running_sum(np.bincount(order, weights=weight))[order]
    tied_later, tied_together, led_by_tied = _of_equal(rank, order, weight)
    return PairSums(
        riskier=smaller * weight,
        tied=tied_later * weight,
        comparable=(len(order) - up_to) * weight,
        led_by_riskier=larger,
        led_by_tied=led_by_tied,
        led=led,
        tied_events=float(((together - tied_together) * weight).sum()) / 2,
        tied_both=float((tied_together * weight).sum()) / 2,
    )


def _after_and_before(rank: NDArray[np.intp], weight: Amounts) -> tuple[Amounts, Amounts]:
    """For each place: how many smaller ranks come after, and the weight of larger ones before.

    Ranks are sorted by their bits from the highest down, as in a wavelet tree: two ranks that
    agree in the higher bits and differ in this one meet here and in no other round, and a rank
    with this bit moves back by as many places as there are ranks without it after it.
    """
    smaller_after, larger_before = np.zeros(len(rank), dtype=np.int64), np.zeros_like(weight)
    below = _running_sum(np.bincount(rank))  # below[r]: how many ranks are smaller than r
    place = np.arange(len(rank))
    for bit in reversed(range(int(rank.max(initial=0)).bit_length())):
        group = rank[place] >> bit
        is_high = group & 1 == 1
        high, low = np.flatnonzero(is_high), np.flatnonzero(~is_high)
        high_before = _running_sum(is_high)
        # below[...]: where the group begins, and where its high ones go, behind its low ones
        moved = below[group[high] << bit] + np.arange(len(high))
        moved -= high_before[below[group[high] - 1 << bit]]
        begin = below[group[low] << bit]
        stayed = np.arange(len(low)) + high_before[begin]

        high_place, low_place = place[high], place[low]
        smaller_after[high_place] += moved - high
        weight_before = np.zeros(len(rank) + 1, dtype=weight.dtype)
        weight_before[high + 1] = weight[high_place]
        np.cumsum(weight_before, out=weight_before)
        larger_before[low_place] += weight_before[low] - weight_before[begin]

        place = np.empty_like(place)
        place[moved], place[stayed] = high_place, low_place
    return smaller_after, larger_before


def _of_equal(
    value: NDArray[np.intp], order: NDArray[np.intp], weight: Amounts
) -> tuple[Amounts, Amounts, Amounts]:
    """Among patients of equal value: how many are later, how many others beside, led by whom.

    The last is the weight of those with an earlier order.
    """
    ranked = np.argsort(value * (order.max(initial=0) + 1) + order)
    all_begin, all_end = _run_edges(value[ranked])
    changes = np.diff(order[ranked], prepend=-1) != 0
    changes[all_begin] = True
    begin, end = _run_edges(np.cumsum(changes))
    weight_before = _running_sum(weight[ranked])
    back = np.empty_like(ranked)
    back[ranked] = np.arange(len(ranked))
    found = all_end - end, end - begin - 1, weight_before[begin] - weight_before[all_begin]
    return found[0][back], found[1][back], found[2][back]


def _run_edges(values: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For each place, where its run of equal values begins and ends."""
    edges = np.append(np.flatnonzero(np.diff(values, prepend=values[:1] - 1)), len(values))
    run = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
    return edges[run], edges[run + 1]


def _running_sum(values: Amounts) -> Amounts:
    """(N + 1,) sum of the values before each place."""
    return np.concatenate([[0], np.cumsum(values)])
