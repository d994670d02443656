"""Ensembles of survival trees. They are kept as their training table and fitted again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from mtsbench.metrics.curves import stretch_middles
from mtsbench_radiomics.estimators.design import check_events, curve_grid, outcome_records

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.data import SurvivalReading
    from mtsbench_radiomics.estimators.design import Design


class _Ensemble(Protocol):
    """What both ensembles of scikit-survival can do."""

    unique_times_: NDArray[np.float64]

    def predict(self, X: NDArray[np.float64]) -> NDArray[np.float64]: ...

    def predict_survival_function(
        self,
        X: NDArray[np.float64],
        return_array: bool,
    ) -> NDArray[np.float64]: ...


@dataclass(frozen=True, kw_only=True, eq=False)
class EnsembleFit:
    """A fitted ensemble of trees."""

    ensemble: _Ensemble
    survival_time: NDArray[np.float64] = field(repr=False)

    @property
    def survival_reading(self) -> SurvivalReading:
        """As steps: the leaves hold step functions."""
        return "step"

    def risk(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) expected number of events (forest) or log hazard (boosting)."""
        return np.asarray(self.ensemble.predict(values), dtype=np.float64)

    def survival(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, T) the ensemble's own curves."""
        steps = self.ensemble.unique_times_
        curves = self.ensemble.predict_survival_function(values, return_array=True)
        curves = np.hstack([np.ones((len(values), 1)), np.clip(curves, 0.0, 1.0)])
        # Mean curves over trees can rise by a rounding error.
        falling = np.minimum.accumulate(curves, axis=1)
        reached: NDArray[np.float64] = falling[
            :, np.searchsorted(steps, stretch_middles(self.survival_time), side="right")
        ]
        return reached


@dataclass(frozen=True, kw_only=True)
class RandomSurvivalForest:
    """Random survival forest; inner cross-validation chooses the size of the leaves.

    Attributes:
        trees: How many.
        leaves: Smallest numbers of cases in a leaf to choose from, in falling order.

    Source: Ishwaran et al., Annals of Applied Statistics 2 (2008), 841-860.
    """

    trees: int = 200
    leaves: tuple[int, ...] = (15, 8, 4)

    def candidates(self, design: Design) -> tuple[float, ...]:
        """Sizes of leaves that leave two leaves at least; the largest size first."""
        possible = [float(leaf) for leaf in self.leaves if 2 * leaf <= len(design.time) / 2]
        return tuple(possible) or (float(min(self.leaves)),)

    def held_out_risk(
        self,
        design: Design,
        values: NDArray[np.float64],
        candidates: tuple[float, ...],
        seed: int,
    ) -> NDArray[np.float64]:
        """(K, N)."""
        return np.stack([self.fit(design, leaf, seed).risk(values) for leaf in candidates])

    def fit(self, design: Design, candidate: float, seed: int) -> EnsembleFit:
        """Grow the forest.

        Raises:
            DataError: Too few events.
        """
        check_events(design.event, "random survival forest")
        from sksurv.ensemble import RandomSurvivalForest as Forest

        forest = Forest(n_estimators=self.trees, min_samples_leaf=int(candidate), random_state=seed)
        forest.fit(design.values, outcome_records(design))
        return EnsembleFit(ensemble=forest, survival_time=curve_grid(design.time, design.event))


@dataclass(frozen=True, kw_only=True)
class GradientBoosting:
    """Gradient boosting of the Cox likelihood; inner cross-validation chooses when to stop.

    Attributes:
        trees: Numbers of trees to choose from, rising.
        learning_rate: Shrinkage of each tree.
        depth: Of each tree.
        subsample: Share of the cases each tree sees.

    Source: Ridgeway, Computing Science and Statistics 31 (1999), 172-181.
    """

    trees: tuple[int, ...] = (10, 25, 50, 100, 200)
    learning_rate: float = 0.05
    depth: int = 2
    subsample: float = 0.7

    def candidates(self, design: Design) -> tuple[float, ...]:
        """Numbers of trees."""
        return tuple(float(count) for count in self.trees)

    def held_out_risk(
        self,
        design: Design,
        values: NDArray[np.float64],
        candidates: tuple[float, ...],
        seed: int,
    ) -> NDArray[np.float64]:
        """(K, N), all from one sequence of trees."""
        boosting = self._boost(design, int(max(candidates)), seed)
        staged = list(boosting.staged_predict(values))
        return np.stack([staged[int(count) - 1] for count in candidates])

    def fit(self, design: Design, candidate: float, seed: int) -> EnsembleFit:
        """Boost as many trees as were chosen.

        Raises:
            DataError: Too few events.
        """
        boosting = self._boost(design, int(candidate), seed)
        return EnsembleFit(ensemble=boosting, survival_time=curve_grid(design.time, design.event))

    def _boost(self, design: Design, trees: int, seed: int) -> _Staged:
        check_events(design.event, "gradient boosting")
        from sksurv.ensemble import GradientBoostingSurvivalAnalysis

        boosting: _Staged = GradientBoostingSurvivalAnalysis(
            n_estimators=trees,
            learning_rate=self.learning_rate,
            max_depth=self.depth,
            subsample=self.subsample,
            random_state=seed,
        )
        boosting.fit(design.values, outcome_records(design))
        return boosting


class _Staged(_Ensemble, Protocol):
    def fit(self, X: NDArray[np.float64], y: NDArray[np.void]) -> object: ...

    def staged_predict(self, X: NDArray[np.float64]) -> list[NDArray[np.float64]]: ...
