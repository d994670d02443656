"""Covariates of a Cox model: brought to one scale, and refused where they have no coefficient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import MonotoneLikelihoodError, UndefinedMetricError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mtsbench.metrics.partial_likelihood import RiskSets

ROUNDING = 1e-12  # a smaller range, relative to the largest value, is rounding
DEPENDENT = 1e-8  # a smaller singular value, relative to the largest, means a redundant covariate
INVOLVED = 0.1  # least share of the largest part in a direction that is named
MOST_NAMED = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Standardised:
    """Covariates without their means, in standard deviations of the patients at risk.

    Patients who are censored before the first event of their stratum take no part in the
    likelihood, and take none in means and standard deviations here.

    Attributes:
        names: P names, for messages.
        values: (N, P).
        at_risk: (N,) True for patients who are at risk when an event happens.
        stratum: (N,) from 0.
        centre: (S, P) means of each stratum.
        scale: (P,) standard deviations within strata.
        spread: (P,) standard deviations of all patients; 1 where all are the same.
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]
    at_risk: NDArray[np.bool_]
    stratum: NDArray[np.intp]
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        covariates: NDArray[np.float64],
        time: NDArray[np.float64],
        event: NDArray[np.bool_],
        stratum: NDArray[np.intp],
        names: tuple[str, ...],
    ) -> Standardised:
        """Bring covariates (N, P) to one scale; those that do not vary at risk become 0."""
        strata = int(stratum.max()) + 1
        at_risk = np.zeros(len(time), dtype=np.bool_)
        centre = np.tile(covariates.mean(axis=0), (strata, 1))
        for one in np.unique(stratum[event]):
            inside = (stratum == one) & (time >= time[event & (stratum == one)].min())
            at_risk |= inside
            centre[one] = covariates[inside].mean(axis=0)
        values = covariates - centre[stratum]
        rounding = ROUNDING * np.abs(covariates).max(axis=0)
        spread, scale = covariates.std(axis=0), np.sqrt((values[at_risk] ** 2).mean(axis=0))
        spread = np.where(spread <= rounding, 1.0, spread)
        same = scale <= rounding
        values[:, same], scale = 0.0, np.where(same, spread, scale)
        return cls(
            names=names,
            values=values / scale,
            at_risk=at_risk,
            stratum=stratum,
            centre=centre,
            scale=scale,
            spread=spread,
        )

    def check_unique(self) -> None:
        """Refuse covariates whose coefficients are not unique without a penalty.

        Raises:
            UndefinedMetricError: A covariate does not vary among the patients at risk, there are
                not more patients than covariates, or covariates determine each other.
        """
        inside = self.values[self.at_risk]
        constant = (inside == 0).all(axis=0)
        if constant.any():
            raise UndefinedMetricError(
                f"{told(_chosen(self.names, constant), 'does', 'do')} not vary among the patients "
                "at risk when an event happens, so there is no hazard ratio"
            )
        free = len(inside) - len(np.unique(self.stratum[self.at_risk]))
        if len(self.names) > free:
            raise UndefinedMetricError(
                f"{len(self.names)} covariates ({listed(self.names)}) for {len(inside)} patients "
                "at risk have no unique coefficients"
            )
        _, singular, right = np.linalg.svd(inside, full_matrices=False)
        if singular[-1] <= DEPENDENT * singular[0]:
            raise UndefinedMetricError(
                f"{told(_involved(self.names, right[-1]), 'determines', 'determine')} each other "
                f"in these {len(inside)} patients, so the coefficients are not unique"
            )

    def check_finite(self, strata: Sequence[RiskSets]) -> None:
        """Refuse covariates that separate earlier from later events.

        Raises:
            MonotoneLikelihoodError: The likelihood rises without end along some direction.
        """
        margins = np.concatenate([one.margins() for one in strata])
        alone = np.logical_or((margins >= 0).all(axis=0), (margins <= 0).all(axis=0))
        names = _chosen(self.names, alone)
        if not names:
            direction = endless_direction(margins)
            if direction is None:
                return
            names = _involved(self.names, direction)
        raise MonotoneLikelihoodError(
            f"the partial likelihood has no finite maximum: {told(names, 'separates', 'separate')}"
            f"{' together' if len(names) > 1 and not alone.any() else ''} earlier events from "
            "later ones, so a hazard ratio would be 0 or infinite"
        )


def endless_direction(margins: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """(P,) a direction in which no margin (M, P) is negative and some are positive; None if none.

    Of all such directions a shortest one, which involves few covariates.
    """
    from scipy.optimize import linprog

    margins = margins / np.abs(margins).max(axis=1, keepdims=True)
    rows, columns = margins.shape
    if rows == 0:
        return None
    both = np.concatenate([margins, -margins], axis=1)  # a direction is a difference of two
    found = linprog(
        np.ones(2 * columns),
        A_ub=-both,
        b_ub=np.zeros(rows),
        A_eq=both.sum(axis=0, keepdims=True) / rows,
        b_eq=[1.0],
    )
    if found.x is None:
        return None
    direction = np.asarray(found.x[:columns] - found.x[columns:], dtype=np.float64)
    reached = margins @ direction
    return direction if reached.min() >= -DEPENDENT * reached.max() else None


def told(names: Sequence[str], one: str, several: str) -> str:
    """The names as the subject of a sentence, with its verb."""
    if len(names) == 1:
        return f"the covariate {names[0]} {one}"
    return f"the covariates {listed(names)} {several}"


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def _chosen(names: Sequence[str], chosen: NDArray[np.bool_]) -> list[str]:
    return [name for name, one in zip(names, chosen, strict=True) if one]


def _involved(names: Sequence[str], direction: NDArray[np.float64]) -> list[str]:
    return _chosen(names, np.abs(direction) > INVOLVED * np.abs(direction).max())
