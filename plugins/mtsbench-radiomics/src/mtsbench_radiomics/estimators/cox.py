"""The Cox model without a penalty, or with a ridge penalty."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from mtsbench.errors import DataError, MonotoneLikelihoodError, UndefinedMetricError
from mtsbench.metrics.proportional_hazards import CoxFit, fit_cox
from mtsbench_radiomics.estimators.design import check_events
from mtsbench_radiomics.estimators.linear import LinearFit, linear_fit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench_radiomics.estimators.design import Design

Monotone = Literal["ridge", "refuse"]
REMEDY = 0.1  # small against the information of a few events, and enough for a finite maximum
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Cox:
    """Cox regression, Efron ties.

    Attributes:
        ridge: Penalty ridge / 2 times the sum of squared log hazard ratios per standard
            deviation, against the log partial likelihood; 0 is the plain Cox model.
        monotone: What becomes of a plain model whose likelihood has no finite maximum, as that of
            a rare level without any event: `ridge` fits it with a penalty of `REMEDY` and says so,
            `refuse` raises.
    """

    ridge: float = 0.0
    monotone: Monotone = "ridge"

    def candidates(self, design: Design) -> tuple[float, ...]:
        """Nothing to choose."""
        return (self.ridge,)

    def held_out_risk(
        self,
        design: Design,
        values: NDArray[np.float64],
        candidates: tuple[float, ...],
        seed: int,
    ) -> NDArray[np.float64]:
        """(1, N)."""
        return np.stack([self.fit(design, ridge, seed).risk(values) for ridge in candidates])

    def fit(self, design: Design, candidate: float, seed: int) -> LinearFit:
        """Maximise the partial likelihood by Newton's method.

        Raises:
            DataError: Too few events, features that determine each other, or a likelihood
                without a maximum.
        """
        check_events(design.event, "Cox model")
        try:
            fit = self._fit(design, candidate)
        except UndefinedMetricError as error:
            remedy = "a stronger --set ridge" if candidate else "--set ridge=0.1"
            raise DataError(
                f"Cox model, training part: {error}. Leave such variables out, or use {remedy}"
            ) from error
        return linear_fit(design, fit.coefficient)

    def _fit(self, design: Design, ridge: float) -> CoxFit:
        fit = partial(fit_cox, design.values, design.time, design.event, names=design.names)
        try:
            return fit(ridge=ridge)
        except MonotoneLikelihoodError as error:
            if self.monotone == "refuse":
                raise
            _log.warning("Cox model: %s. It was fitted with ridge=%g instead", error, REMEDY)
            return fit(ridge=REMEDY)
