"""The Cox model without a penalty, or with a ridge penalty."""

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

TOLERANCE = 1e-12  # of the log likelihood; coefficients are then good to about 1e-9
DEPENDENT = 1e-8  # a smaller singular value, relative to the largest, means a redundant feature
# Log hazard ratio per standard deviation; a likelihood without a maximum leads beyond it.
LARGEST_EFFECT = 12.0
INVOLVED = 0.1
ADVICE = "leave some out or use --set ridge=0.1"


@dataclass(frozen=True, kw_only=True)
class Cox:
    """Cox regression, Efron ties.

    Attributes:
        ridge: Penalty ridge / 2 times the sum of squared log hazard ratios per standard
            deviation, against the log partial likelihood; 0 is the plain Cox model.
    """

    ridge: float = 0.0

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
        sd = design.values.std(axis=0)
        # Newton's steps are exact on any scale, but not in floating point.
        scaled = (design.values - design.values.mean(axis=0)) / sd
        if candidate == 0:
            _check_independent(scaled, design.names)
        effect = _newton(scaled, design, candidate)
        if np.abs(effect).max() > LARGEST_EFFECT:
            names = [
                name
                for name, size in zip(design.names, np.abs(effect), strict=True)
                if size > LARGEST_EFFECT / 2
            ]
            raise _no_maximum(names)
        return linear_fit(design, effect / sd)


def _newton(scaled: NDArray[np.float64], design: Design, ridge: float) -> NDArray[np.float64]:
    from scipy.linalg import LinAlgError, LinAlgWarning
    from sklearn.exceptions import ConvergenceWarning
    from sksurv.linear_model import CoxPHSurvivalAnalysis

    model = CoxPHSurvivalAnalysis(alpha=ridge, ties="efron", tol=TOLERANCE)
    with warnings.catch_warnings():
        for category in (RuntimeWarning, ConvergenceWarning, LinAlgWarning):
            warnings.simplefilter("error", category)
        try:
            model.fit(scaled, outcome_records(design))
        except (ValueError, LinAlgError, RuntimeWarning, ConvergenceWarning, LinAlgWarning) as e:
            raise _no_maximum(design.names) from e
    effect: NDArray[np.float64] = model.coef_
    return effect


def _check_independent(scaled: NDArray[np.float64], names: tuple[str, ...]) -> None:
    cases, features = scaled.shape
    if features >= cases:
        raise DataError(
            f"Cox model: {features} features ({_listed(names)}) for {cases} training cases have "
            f"no unique coefficients; {ADVICE}"
        )
    _, singular, right = np.linalg.svd(scaled, full_matrices=False)
    if singular[-1] > DEPENDENT * singular[0]:
        return
    involved = [
        name for name, part in zip(names, np.abs(right[-1]), strict=True) if part > INVOLVED
    ]
    raise DataError(
        f"Cox model: the features {_listed(involved)} determine each other in the training part, "
        f"so their coefficients are not unique; {ADVICE}"
    )


def _no_maximum(names: list[str] | tuple[str, ...]) -> DataError:
    return DataError(
        f"Cox model: the likelihood has no finite maximum; the features {_listed(names)} separate "
        f"early from late events in the training part. {ADVICE.capitalize()}"
    )


def _listed(names: list[str] | tuple[str, ...], most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
