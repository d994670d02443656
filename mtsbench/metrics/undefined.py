"""What a metric raises where it has no value."""

from __future__ import annotations

from mtsbench.errors import MtsbenchError


class UndefinedMetricError(MtsbenchError, ValueError):
    """The data leave a metric without a value; the message is the reason to report."""
