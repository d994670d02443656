"""What core itself announces: the metrics of every record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtsbench.components import Component
from mtsbench.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mtsbench.interfaces import Metric
    from mtsbench.metrics.segmentation import Dice
    from mtsbench.metrics.survival import HarrellC


@hookimpl
def mtsbench_metrics() -> Iterator[Component[Metric]]:
    """Concordance of the risks of a test fold, and overlap of masks."""
    yield Component(
        name="harrell-c",
        summary="Harrell's C: share of comparable pairs whose order the risk tells",
        build=_build_harrell_c,
        reference="https://doi.org/10.1001/jama.1982.03320430047030",
    )
    yield Component(
        name="dice",
        summary="Dice overlap of the predicted and the true tumour mask of a patient",
        build=_build_dice,
        reference="https://doi.org/10.2307/1932409",
    )


def _build_harrell_c() -> HarrellC:
    from mtsbench.metrics.survival import HarrellC

    return HarrellC()


def _build_dice() -> Dice:
    from mtsbench.metrics.segmentation import Dice

    return Dice()
