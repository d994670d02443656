"""What is kept of a metric that has no value or crashes."""

from __future__ import annotations

import math
from collections.abc import Callable

from mtsbench.interfaces import Score


def score_or_reason(compute: Callable[..., Score], *arguments: object) -> Score:
    """The score, or why there is none: a metric that crashes must not cost a trained model.

    A value that is no finite number is none, and counts as undefined.
    """
    try:
        score = compute(*arguments)
        if score.value is None:
            return score
        value = float(score.value)  # a plugin may give a number of NumPy
        if not math.isfinite(value):
            return Score(value=None, reason=f"the metric gave {value}, which is no score")
        return Score(value=value)
    except Exception as error:
        cause = " ".join(f"{type(error).__name__}: {error}".split())
        return Score(value=None, reason=f"the metric raised {cause}")
