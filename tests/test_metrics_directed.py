"""The percentile of directed distances against all distances, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.spatial import KDTree

from mtsbench.metrics.directed import Directed, larger_percentile

SPACING = np.array([3.0, 0.7, 1.3])


def measured(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    return KDTree(others * SPACING).query(points * SPACING)[0]


def surfaces(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Scattered points of a few to thousands, and those of a smaller blob inside or beside."""
    random = np.random.default_rng(seed)
    field = gaussian_filter(random.normal(size=(24, 40, 44)), random.uniform(0, 3))
    points = np.argwhere(field > np.quantile(field, random.uniform(0.5, 0.999)))
    corner, size = random.integers(0, 20, 3), random.integers(1, 12, 3)
    return points, np.argwhere(np.ones(size, dtype=np.bool_)) + corner


@pytest.mark.parametrize("seed", range(12))
def test_the_percentile_is_that_of_all_distances(seed):
    points, others = surfaces(seed)

    for a, b in ((points, others), (others, points)):
        found = Directed(points=a, others=b, spacing=SPACING).percentile()
        assert found == np.percentile(measured(a, b), 95)


@pytest.mark.parametrize("seed", range(12))
def test_the_larger_of_two_is_found_though_only_one_may_be_measured(seed):
    points, others = surfaces(seed)
    both = [
        Directed(points=a, others=b, spacing=SPACING)
        for a, b in ((points, others), (others, points))
    ]

    expected = max(np.percentile(measured(one.points, one.others), 95) for one in both)

    assert larger_percentile(both) == expected


@pytest.mark.parametrize("count", [1, 2, 3, 20, 21, 22])
def test_few_points_have_a_percentile_too(count):
    points = np.arange(3 * count).reshape(count, 3)
    others = np.array([[4, 0, 9]])

    found = Directed(points=points, others=others, spacing=SPACING).percentile()

    assert found == np.percentile(measured(points, others), 95)


def test_the_bounds_hold_the_percentile_and_leave_most_points_out():
    points = np.argwhere(np.ones((30, 60, 60), dtype=np.bool_))
    others = np.array([[2, 3, 4], [5, 5, 5]])
    distances = measured(points, others)

    least, most = Directed(points=points, others=others, spacing=SPACING).between

    assert least <= np.percentile(distances, 95) <= most
    assert np.mean((distances >= least) & (distances <= most)) < 0.35
