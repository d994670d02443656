"""Cohorts with a known hazard, and two ridge-penalised Cox models that are trained on them.

The cohort says what each model may look at: A and B see different variables of the same worth, or
the same factors through noise of their own, or variables that mean nothing. In all three they are
exchangeable, so any claimed difference between the two *methods* is an error of the first kind.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from mtsbench.metrics.concordance import concordance

VARIABLES, PENALTY, POPULATION = 5, 1.0, 12_000
EFFECTS = np.array([0.4, 0.3, 0.2, 0.1, 0.0])
DAYS = 1000.0  # mean time to the event at hazard 1
Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """How the variables that A and B see relate to the hazard.

    Attributes:
        kind: Whether they see variables of their own, or the same factors through noise.
        effects: (2, 5) log hazard ratios of A's and B's variables, or of the factors twice.
        noise: Of A's and B's view of the factors; only where these are shared.
    """

    name: str
    kind: Literal["own", "shared"]
    effects: tuple[Array, Array]
    noise: tuple[float, float] = (0.5, 0.5)

    @property
    def spread(self) -> float:
        """Standard deviation of the log hazard."""
        parts = self.effects if self.kind == "own" else self.effects[:1]
        return float(np.sqrt(sum((one**2).sum() for one in parts)))


NOTHING = np.zeros(VARIABLES)
EQUAL = (
    Scenario(name="different information", kind="own", effects=(EFFECTS, EFFECTS)),
    Scenario(name="the same information", kind="shared", effects=(1.5 * EFFECTS, 1.5 * EFFECTS)),
    Scenario(name="no information", kind="own", effects=(NOTHING, NOTHING)),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Patients:
    """(N, 5) variables for A and for B, (N,) days, (N,) events."""

    variables: tuple[Array, Array]
    time: Array
    event: Flags


def draw(scenario: Scenario, count: int, censoring: float, random: np.random.Generator) -> Patients:
    """New patients; `censoring` is the mean day of the end of follow-up."""
    if scenario.kind == "own":
        variables = random.normal(size=(2, count, VARIABLES))
        hazard = variables[0] @ scenario.effects[0] + variables[1] @ scenario.effects[1]
    else:
        factors = random.normal(size=(count, VARIABLES))
        hazard = factors @ scenario.effects[0]
        own = random.normal(size=(2, count, VARIABLES))
        variables = factors + np.array(scenario.noise)[:, None, None] * own
    event_time = random.exponential(DAYS / np.exp(hazard))
    censored = random.exponential(censoring, size=count)
    return Patients(
        variables=(variables[0], variables[1]),
        time=np.minimum(event_time, censored),
        event=event_time <= censored,
    )


def censoring_for(scenario: Scenario, share: float) -> float:
    """Mean day of the end of follow-up at which this share of patients has the event."""
    random = np.random.default_rng(5)
    event_time = random.exponential(DAYS / np.exp(scenario.spread * random.normal(size=POPULATION)))
    unit = random.exponential(size=POPULATION)
    log = brentq(lambda x: float((event_time <= np.exp(x) * unit).mean()) - share, 0, 14)
    return float(np.exp(log))


def ridge_cox(variables: Array, time: Array, event: Flags) -> Array:
    """(F, P) coefficients of F training sets at once (F, N, P), by Newton's method."""
    order = np.argsort(-time, axis=1)
    x = np.take_along_axis(variables, order[:, :, None], axis=1)
    d = np.take_along_axis(event, order, axis=1).astype(float)
    beta = np.zeros((len(x), x.shape[2]))
    for _ in range(6):
        weight = np.exp(np.einsum("fnp,fp->fn", x, beta))
        total = np.cumsum(weight, axis=1)
        mean = np.cumsum(weight[:, :, None] * x, axis=1) / total[:, :, None]
        square = np.cumsum(weight[:, :, None, None] * x[..., None] * x[:, :, None], axis=1)
        square = square / total[:, :, None, None] - mean[..., None] * mean[:, :, None]
        gradient = np.einsum("fn,fnp->fp", d, x - mean) - PENALTY * beta
        hessian = np.einsum("fn,fnpq->fpq", d, square) + PENALTY * np.eye(x.shape[2])
        beta += np.linalg.solve(hessian, gradient[..., None])[..., 0]
    return beta


class TrueConcordance:
    """C of a model on the whole population, from the correlation of its risk with the hazard.

    Both are normal, so the correlation is all that C depends on; the curve between the two is
    simulated once for a scenario and its censoring.
    """

    def __init__(self, scenario: Scenario, censoring: float) -> None:
        self.scenario = scenario
        random = np.random.default_rng(99)
        hazard, other = random.normal(size=(2, POPULATION))
        event_time = random.exponential(DAYS / np.exp(scenario.spread * hazard))
        censored = random.exponential(censoring, size=POPULATION)
        time, event = np.minimum(event_time, censored), event_time <= censored
        self.correlation = np.linspace(-1, 1, 21)
        risks = (c * hazard + np.sqrt(max(0.0, 1 - c * c)) * other for c in self.correlation)
        self.c_index = np.array([concordance(risk, time, event).value for risk in risks])

    def __call__(self, beta: Array, model: Literal[0, 1]) -> Array:
        """(F,) of models with these (F, P) coefficients."""
        noise = self.scenario.noise[model] if self.scenario.kind == "shared" else 0.0
        own = np.sqrt((beta**2).sum(axis=1) * (1 + noise**2))
        whole = own * self.scenario.spread
        shared = beta @ self.scenario.effects[model if self.scenario.kind == "own" else 0]
        correlation = np.where(whole > 0, shared / np.where(whole > 0, whole, 1), 0.0)
        return np.interp(correlation, self.correlation, self.c_index)


def stronger(scenario: Scenario, weak: float, strong: float) -> Scenario:
    """The scenario with a true difference: A sees less of the hazard than B."""
    first, second = scenario.effects
    name = f"{scenario.name}, B sees more"
    return replace(scenario, name=name, effects=(weak * first, strong * second))
