"""ICARE: features vote with the sign of their own concordance, many times over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from mtsbench_radiomics.estimators.concordance import univariate_concordance
from mtsbench_radiomics.estimators.design import Design, check_events, curve_grid
from mtsbench_radiomics.estimators.linear import breslow_hazard, proportional_curves

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.data import SurvivalReading

# Ranges of the settings with which the winning entry drew its bags.
CORRELATION = (0.57, 0.87)
CONCORDANCE = (0.51, 0.59)
SHARE_OF_FEATURES = (0.006, 0.16)
FEWEST_FEATURES = 5
LARGEST_SLOPE = 10.0
GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, kw_only=True)
class Vote:
    """One bag's score: the mean of signed z-scores.

    Attributes:
        features: Which features vote.
        weights: Sign over standard deviation over the number of voters, one for each.
        offset: The score of the bag's mean case, to subtract.
    """

    features: tuple[int, ...]
    weights: tuple[float, ...]
    offset: float


@dataclass(frozen=True, kw_only=True)
class VotingFit:
    """The median of all votes, and how it maps to survival.

    Attributes:
        slope: Log hazard ratio per unit of risk, from out-of-bag risks; not below 0.
        centre: Mean out-of-bag risk.
        time: T days from 0.
        cumulative_hazard: T values of the baseline.
    """

    kind: Literal["voting"] = "voting"
    votes: tuple[Vote, ...]
    slope: float
    centre: float
    time: tuple[float, ...]
    cumulative_hazard: tuple[float, ...]

    @property
    def survival_time(self) -> NDArray[np.float64]:
        """(T,) days."""
        return np.array(self.time)

    @property
    def survival_reading(self) -> SurvivalReading:
        """As steps: the baseline hazard rises on the days of training events only."""
        return "step"

    def risk(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) median vote; 0 for all where no bag found a feature worth a vote."""
        if not self.votes:
            return np.zeros(len(values))
        scores = np.stack([_score(vote, values) for vote in self.votes])
        risk: NDArray[np.float64] = np.median(scores, axis=0)
        return risk

    def survival(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, T) curves of a Cox model with the risk as its only feature."""
        log_hazard = self.slope * (self.risk(values) - self.centre)
        return proportional_curves(log_hazard, np.array(self.cumulative_hazard))


@dataclass(frozen=True, kw_only=True)
class Icare:
    """Bagged sign voting.

    In each bag: draw cases with replacement and a share of the features besides those that always
    take part; take the sign of each
    feature from its Harrell C; drop features whose |C - 0.5| is small and, of two that correlate,
    the one with the smaller; average the signed z-scores. The risk is the median over bags. There
    is nothing to tune: as in the published entry, each bag draws its own settings; here uniformly
    between the smallest and largest of the five sets of the entry.

    Attributes:
        bags: How many; 1000 were enough in the paper's experiments.

    Source: Rebaud et al., Simplicity is all you need, HECKTOR 2022, LNCS 13626.
    """

    bags: int = 300

    def candidates(self, design: Design) -> tuple[float, ...]:
        """Nothing to choose."""
        return (float(self.bags),)

    def held_out_risk(
        self,
        design: Design,
        values: NDArray[np.float64],
        candidates: tuple[float, ...],
        seed: int,
    ) -> NDArray[np.float64]:
        """(1, N)."""
        return np.stack([self.fit(design, bags, seed).risk(values) for bags in candidates])

    def fit(self, design: Design, candidate: float, seed: int) -> VotingFit:
        """Let every bag vote.

        Raises:
            DataError: Too few events.
        """
        check_events(design.event, "ICARE")
        generator = np.random.default_rng(seed)
        cases = len(design.time)
        votes: list[Vote] = []
        out_of_bag = np.full((int(candidate), cases), np.nan)
        for bag in range(int(candidate)):
            rows = generator.integers(cases, size=cases)
            vote = _bag_vote(design, rows, generator)
            if vote is None:
                continue
            votes.append(vote)
            outside = np.setdiff1d(np.arange(cases), rows)
            out_of_bag[bag, outside] = _score(vote, design.values[outside])
        return _with_curves(design, tuple(votes), out_of_bag)


def _score(vote: Vote, values: NDArray[np.float64]) -> NDArray[np.float64]:
    score: NDArray[np.float64] = values[:, list(vote.features)] @ np.array(vote.weights)
    return score - vote.offset


def _bag_vote(
    design: Design, rows: NDArray[np.intp], generator: np.random.Generator
) -> Vote | None:
    """The vote of one bag; None where no feature passes."""
    most_correlated = generator.uniform(*CORRELATION)
    least_concordance = generator.uniform(*CONCORDANCE)
    share = generator.uniform(*SHARE_OF_FEATURES)
    columns = _drawn_features(design, share, generator)
    values = design.values[np.ix_(rows, columns)]
    # Rounding can leave an SD above 0 where all values are equal.
    varied = np.ptp(values, axis=0) > 0
    columns, values = columns[varied], values[:, varied]
    concordance = univariate_concordance(values, design.time[rows], design.event[rows])
    strength = np.abs(concordance - 0.5)
    passing = [
        column
        for column in np.argsort(-strength, kind="stable").tolist()
        if strength[column] >= least_concordance - 0.5
    ]
    z_scores = (values - values.mean(axis=0)) / values.std(axis=0)
    kept: list[int] = []
    for column in passing:
        correlation = z_scores[:, kept].T @ z_scores[:, column] / len(rows)
        if not (np.abs(correlation) > most_correlated).any():
            kept.append(column)
    if not kept:
        return None
    weights = np.sign(concordance[kept] - 0.5) / values[:, kept].std(axis=0) / len(kept)
    return Vote(
        features=tuple(columns[kept].tolist()),
        weights=tuple(weights.tolist()),
        offset=float(values[:, kept].mean(axis=0) @ weights),
    )


def _drawn_features(
    design: Design, share: float, generator: np.random.Generator
) -> NDArray[np.intp]:
    mandatory = [column for column, name in enumerate(design.names) if name in design.always]
    others = [column for column, name in enumerate(design.names) if name not in design.always]
    count = min(len(others), max(FEWEST_FEATURES, round(share * len(others))))
    drawn = generator.permutation(others)[:count].tolist()
    return np.array(sorted([*mandatory, *drawn]), dtype=np.intp)


def _with_curves(
    design: Design, votes: tuple[Vote, ...], out_of_bag: NDArray[np.float64]
) -> VotingFit:
    # Risks of cases a bag has seen are too spread, and so would be curves learnt from them.
    seen = np.isfinite(out_of_bag).any(axis=0)
    risk = np.zeros(len(design.time))
    risk[seen] = np.nanmedian(out_of_bag[:, seen], axis=0)
    centre = float(risk[seen].mean()) if seen.any() else 0.0
    risk[~seen] = centre
    slope = _slope(risk - centre, design)
    time = curve_grid(design.time, design.event)
    return VotingFit(
        votes=votes,
        slope=slope,
        centre=centre,
        time=tuple(time.tolist()),
        cumulative_hazard=tuple(breslow_hazard(slope * (risk - centre), design, time).tolist()),
    )


def _slope(risk: NDArray[np.float64], design: Design) -> float:
    """Cox's log hazard ratio of the risk, searched in [0, LARGEST_SLOPE] standard deviations."""
    spread = float(risk.std())
    if spread == 0:
        return 0.0
    scaled = risk / spread
    # Logarithms, so that a case far from all others overflows nothing; by falling time, a risk set
    # is a prefix.
    order = np.argsort(-design.time, kind="stable")
    event_time = design.time[design.event]
    last = np.searchsorted(-design.time[order], -event_time, side="right") - 1

    def loss(slope: float) -> float:
        at_risk = np.logaddexp.accumulate(slope * scaled[order])[last]
        return float(at_risk.sum() - slope * scaled[design.event].sum())

    low, high = 0.0, LARGEST_SLOPE  # the loss is convex, so a golden-section search finds it
    while high - low > 1e-9:
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return (low + high) / 2 / spread
