"""Inner folds: parts of the training part with about equal shares of events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def event_stratified_folds(
    event: NDArray[np.bool_], folds: int, seed: int | tuple[int, ...]
) -> NDArray[np.intp]:
    """(N,) fold of each case, from 0; events and censored cases are dealt out separately.

    There are fewer folds where events or cases would not reach for `folds`, but at least two.
    """
    folds = max(2, min(folds, int(event.sum())))
    order = np.random.default_rng(seed).permutation(len(event))
    order = order[np.argsort(~event[order], kind="stable")]  # events first, each part shuffled
    fold = np.empty(len(event), dtype=np.intp)
    fold[order] = np.arange(len(event)) % folds
    return fold
