"""The Cox model with an elastic net penalty, whose strength inner cross-validation chooses."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import DataError
from mtsbench_radiomics.estimators.design import check_events, outcome_records
from mtsbench_radiomics.estimators.linear import LinearFit, linear_fit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench_radiomics.estimators.design import Design


@dataclass(frozen=True, kw_only=True)
class Coxnet:
    """Penalised Cox regression, Breslow ties.

    Attributes:
        l1_ratio: Share of the lasso penalty; 1 is the lasso.
        penalties: Length of the path of strengths.
        weakest: The weakest strength of the path over the one that makes every coefficient 0.

    Source: Simon et al., Journal of Statistical Software 39 (2011), issue 5.
    """

    l1_ratio: float = 0.5
    penalties: int = 30
    weakest: float = 0.03

    def candidates(self, design: Design) -> tuple[float, ...]:
        """Strengths from the one that leaves no feature to the weakest."""
        check_events(design.event, "penalised Cox model")
        from sksurv.linear_model import CoxnetSurvivalAnalysis

        # Only the strongest penalty of the library's own path is wanted: there no feature is left.
        model = CoxnetSurvivalAnalysis(n_alphas=2, alpha_min_ratio=0.9, l1_ratio=self.l1_ratio)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="all coefficients are zero")
            model.fit(design.values, outcome_records(design))
        strongest = float(model.alphas_[0])
        return tuple(np.geomspace(strongest, self.weakest * strongest, self.penalties).tolist())

    def held_out_risk(
        self,
        design: Design,
        values: NDArray[np.float64],
        candidates: tuple[float, ...],
        seed: int,
    ) -> NDArray[np.float64]:
        """(K, N); NaN for the penalties that are too weak for these cases."""
        coefficients = self._path(design, candidates)
        risk = (coefficients @ (values - np.median(design.values, axis=0)).T).astype(np.float64)
        missing = np.full((len(candidates) - len(risk), len(values)), np.nan)
        return np.concatenate([risk, missing])

    def fit(self, design: Design, candidate: float, seed: int) -> LinearFit:
        """Fit at one strength, by way of the stronger ones.

        Raises:
            DataError: Too few events, or the penalty is too weak to keep coefficients finite.
        """
        path = self.candidates(design)
        stronger = tuple(strength for strength in path if strength > candidate)
        coefficients = self._path(design, (*stronger, candidate))
        if len(coefficients) <= len(stronger):
            raise _too_weak(candidate)
        return linear_fit(design, coefficients[-1])

    def _path(self, design: Design, strengths: tuple[float, ...]) -> NDArray[np.float64]:
        """(K, F) coefficients of as many strengths as have finite ones, the strongest first."""
        from sklearn.exceptions import ConvergenceWarning
        from sksurv.linear_model import CoxnetSurvivalAnalysis

        for count in range(len(strengths), 0, -max(1, len(strengths) // 8)):
            model = CoxnetSurvivalAnalysis(alphas=strengths[:count], l1_ratio=self.l1_ratio)
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="all coefficients are zero")
                warnings.simplefilter("error", ConvergenceWarning)
                try:
                    model.fit(design.values, outcome_records(design))
                except (ArithmeticError, ConvergenceWarning):
                    continue
            coefficients: NDArray[np.float64] = model.coef_.T
            return coefficients
        return np.empty((0, len(design.names)))


def _too_weak(strength: float) -> DataError:
    return DataError(
        f"penalised Cox model: the penalty {strength:.3g} is too weak to keep the coefficients "
        "finite; use --set weakest=0.1 or fewer features (--set screened=10)"
    )
