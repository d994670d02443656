"""A survival model of a feature table, as the runner knows models."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from mtsbench.data import Outcomes, Predictions
from mtsbench.errors import DataError, NotFittedError
from mtsbench.metrics.covariates import listed
from mtsbench_radiomics.estimators.marginal import Marginal
from mtsbench_radiomics.models.sources import FixedSource, aligned
from mtsbench_radiomics.models.storage import (
    StoredFit,
    StoredModel,
    check_same_fit,
    library_versions,
    read_state,
    read_training,
    write_state,
    write_training,
)
from mtsbench_radiomics.models.tuning import TrainingPart, choose

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from _typeshed import DataclassInstance

    from mtsbench.composition import Composition
    from mtsbench.data import Cohort, LabelledCohort
    from mtsbench.interfaces import FitContext, Model
    from mtsbench_radiomics.estimators.design import Design, Estimator, Fitted
    from mtsbench_radiomics.models.network_source import NetworkSource
    from mtsbench_radiomics.models.preparation import Preparation, PreparationSettings
    from mtsbench_radiomics.models.sources import FeatureSource
    from mtsbench_radiomics.models.tuning import Choice

DEEP_RISK = "deep_risk"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Learnt:
    preparation: Preparation
    choice: Choice
    fitted: Fitted
    design: Design | None
    seed: int
    missing: Mapping[str, str]


class TableModel:
    """Implements `mtsbench.interfaces.Model`.

    Training and validation cases are one training part here: hyper-parameters are chosen by
    cross-validation inside it. Clinical features and a network's risk pass the correlation filter
    and the screening.

    Args:
        estimator: What learns from the prepared features.
        preparation: How features are filtered and scaled.
        source: Where features come from.
        inner_folds: Folds of the inner cross-validation.
        options: What else decides the features; a stored model with others is refused.
    """

    def __init__(
        self,
        *,
        estimator: Estimator,
        preparation: PreparationSettings,
        source: FeatureSource | None = None,
        inner_folds: int = 5,
        options: Mapping[str, object] | None = None,
    ) -> None:
        self.estimator = estimator
        self.preparation = preparation
        self.source: FeatureSource = FixedSource() if source is None else source
        self.inner_folds = inner_folds
        self.options = dict(options or {})
        self._learnt: _Learnt | None = None

    def fit(self, train: LabelledCohort, validation: LabelledCohort, context: FitContext) -> None:
        """Learn from both cohorts together.

        Raises:
            DataError: Too few events, or no feature can be used.
        """
        table = self.source.learn(train, validation, context)
        part = TrainingPart(
            table=table,
            outcomes=_together(train.outcomes, validation.outcomes),
            settings=self.preparation,
            always=(*train.cohort.clinical_features, DEEP_RISK),
        )
        preparation, design = part.prepare()
        if not self.preparation.selects:
            _tell_left_out(preparation)
        if not design.names and not isinstance(self.estimator, Marginal):
            raise DataError(_no_feature(preparation))
        choice = choose(self.estimator, part, design, self.inner_folds, context.seed)
        fitted = self.estimator.fit(design, choice.candidate, context.seed)
        self._learnt = _Learnt(
            preparation=preparation,
            choice=choice,
            fitted=fitted,
            design=design,
            seed=context.seed,
            missing=dict(table.reasons),
        )
        context.log(0, _facts(table.names, preparation, choice, len(table.reasons)))

    def predict(self, cohort: Cohort) -> Predictions:
        """Risk and survival curves; tumour probability where the source has a network."""
        learnt = self._fitted("predict")
        extracted = self.source.extract(cohort)
        for case_id, why in extracted.table.reasons.items():
            _log.warning("case %r: %s; the training medians stand in", case_id, why)
        values = learnt.preparation.apply(aligned(extracted.table, learnt.preparation.names))
        return Predictions(
            case_ids=cohort.case_ids,
            risk=learnt.fitted.risk(values),
            survival=learnt.fitted.survival(values),
            survival_time=learnt.fitted.survival_time,
            survival_reading=learnt.fitted.survival_reading,
            tumour_probability=extracted.tumour_probability,
        )

    def save(self, folder: Path) -> None:
        """Write `table_model.json`; for an ensemble of trees also `training_table.parquet`.

        The latter holds features and outcomes of the training cases.
        """
        learnt = self._fitted("save")
        stored = learnt.fitted if isinstance(learnt.fitted, StoredFit) else None
        checksum = None
        if stored is None:
            assert learnt.design is not None  # only a model with a stored fit goes without
            checksum = write_training(folder, learnt.design, learnt.fitted)
        self.source.save(folder)
        write_state(
            folder,
            StoredModel(
                method=self._method(),
                seed=learnt.seed,
                missing=dict(learnt.missing),
                preparation=learnt.preparation,
                choice=learnt.choice,
                fit=stored,
                training_sha256=checksum,
                libraries=library_versions(),
            ),
        )

    def load(self, folder: Path) -> None:
        """Become the stored model; an ensemble of trees is fitted again and compared."""
        state = read_state(folder, self._method())
        design: Design | None = None
        if state.fit is not None:
            fitted: Fitted = state.fit
        else:
            design, risk = read_training(folder, state)
            fitted = self.estimator.fit(design, state.choice.candidate, state.seed)
            check_same_fit(folder, state, fitted.risk(design.values), risk)
        self.source.load(folder)
        self._learnt = _Learnt(
            preparation=state.preparation,
            choice=state.choice,
            fitted=fitted,
            design=design,
            seed=state.seed,
            missing=state.missing,
        )

    def _fitted(self, wish: str) -> _Learnt:
        if self._learnt is None:
            raise NotFittedError(
                f"cannot {wish}: the model is not fitted; call fit or load a stored model first"
            )
        return self._learnt

    def _method(self) -> str:
        method = {
            "estimator": {"name": type(self.estimator).__name__, **_fields(self.estimator)},
            "preparation": _fields(self.preparation),
            "options": self.options,
        }
        return json.dumps(method, sort_keys=True, default=str)


class NetworkTableModel(TableModel):
    """A table model whose features come from a network that it trains itself.

    Attributes:
        composition: Of the network; this makes the model a `mtsbench.interfaces.DeepInside`, and
            `take_networks` one that `TakesNetworks`.
    """

    def __init__(
        self,
        *,
        estimator: Estimator,
        preparation: PreparationSettings,
        source: NetworkSource,
        inner_folds: int = 5,
        options: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(
            estimator=estimator,
            preparation=preparation,
            source=source,
            inner_folds=inner_folds,
            options=options,
        )
        self.composition: Composition = source.composition
        self._networks = source

    def take_networks(self, new_network: Callable[[Composition], Model]) -> None:
        """Core makes the networks: their parts and their device are its affair."""
        self._networks.take_networks(new_network)


def _together(train: Outcomes, validation: Outcomes) -> Outcomes:
    return Outcomes(
        endpoint=train.endpoint,
        case_ids=train.case_ids + validation.case_ids,
        time=np.concatenate([train.time, validation.time]),
        event=np.concatenate([train.event, validation.event]),
    )


def _no_feature(preparation: Preparation) -> str:
    reasons = [f"{name}: {why}" for name, why in preparation.dropped.items()]
    told = "; ".join(reasons[:3]) or "the dataset gives none"
    return (
        f"the training part has no feature to learn from ({told}); use a dataset with other "
        "variables or more cases, or model km"
    )


def _tell_left_out(preparation: Preparation) -> None:
    """One line for each reason, since a method that selects nothing should lose nothing unsaid."""
    names: dict[str, list[str]] = {}
    for name, why in preparation.dropped.items():
        names.setdefault(why, []).append(name)
    for why, alike in names.items():
        _log.warning("left out of the fit: %s (%s)", listed(alike), why)


def _facts(
    names: tuple[str, ...], preparation: Preparation, choice: Choice, missing: int
) -> dict[str, float]:
    """What `log.jsonl` tells of a fit."""
    facts = {
        "features": float(len(names)),
        "features_used": float(len(preparation.names)),
        "cases_with_missing_features": float(missing),
        "hyper_parameter": choice.candidate,
        "inner_folds": float(choice.folds),
    }
    if choice.concordance is not None:
        facts["inner_c_index"] = choice.concordance
    return facts


def _fields(settings: object) -> dict[str, object]:
    return asdict(cast("DataclassInstance", settings))
