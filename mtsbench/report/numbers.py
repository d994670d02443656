"""How numbers of statistics are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mtsbench.comparison.against_reference import Comparison


def p_text(value: float) -> str:
    """Three decimals; a smaller p is never written as 0."""
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def p_equation(value: float) -> str:
    """`p = 0.034` or `p < 0.001`."""
    text = p_text(value)
    return f"p < {text[1:]}" if text.startswith("<") else f"p = {text}"


def interval_text(limits: tuple[float, float] | None, digits: int = 2) -> str:
    """`[0.61, 0.74]`, or `[no interval]` where there is none."""
    if limits is None:
        return "[no interval]"
    return f"[{limits[0]:.{digits}f}, {limits[1]:.{digits}f}]"


def verdict_text(one: Comparison) -> str:
    """Whether the difference is robust, marked with `!` where few events make that less certain."""
    if one.algorithm is None or one.fitted is None:
        return "no test"
    return ("yes" if one.robust else "no") + (" !" if one.few_events else "")


def detectable_text(one: Comparison, difference: float | None) -> str:
    """A difference that is found with a chance of 80 %, `none` where no possible one is."""
    if one.algorithm is None or one.fitted is None:
        return "–"
    return "none" if difference is None else f"{difference:.2f}"
