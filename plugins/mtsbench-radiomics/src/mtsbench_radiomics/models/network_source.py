"""Features from the masks, and the risk, of a network that is trained inside the model.

Nothing a network says of a training case may come from a network that was trained on it, or the
features of training cases would look better than those of new cases ever can. So the training
cases are dealt into inner folds, and each fold is predicted by a network trained on the others.
Validation and new cases are predicted by a network trained on all training cases. Every one of
these networks stops early on the validation cases.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pydantic

from mtsbench.data import LabelledCohort
from mtsbench.errors import CheckpointError, DataError, NotFittedError, PluginError
from mtsbench.volumes import Volume
from mtsbench_radiomics.estimators.folds import event_stratified_folds
from mtsbench_radiomics.features.table import FeatureTable
from mtsbench_radiomics.models.sources import Extracted, clinical_features, joined, stacked
from mtsbench_radiomics.models.table_model import DEEP_RISK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mtsbench.composition import Composition
    from mtsbench.data import Case, Cohort, PreparedCase
    from mtsbench.interfaces import FitContext, Model
    from mtsbench_radiomics.models.sources import Extract

NETWORK, REFERENCE = "network", "reference.json"
TUMOUR_THRESHOLD = 0.5
AT_ONCE = 16  # cases whose probability maps are in memory together while fitting


class Reference(pydantic.BaseModel):
    """Mean and standard deviation of a network's risk over the validation cases.

    The scale of a Cox network's risk is its own. No network is trained on the validation cases,
    so their risks put the risks of several networks on one scale.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    mean: float
    sd: float


class NetworkSource:
    """Features of predicted tumours, with or without the network's risk.

    Args:
        composition: The network to train; its backbone must segment.
        extract: Features of the tumour that a cohort's native masks show.
        clinical: Whether the clinical features are appended.
        risk: Whether the network's risk is appended, as `deep_risk`. Without it the networks
            are chosen by Dice.
        folds: Inner folds of the training cases.
    """

    def __init__(
        self,
        composition: Composition,
        extract: Extract,
        *,
        clinical: bool,
        risk: bool,
        folds: int,
    ) -> None:
        self.composition = composition
        self.folds = folds
        self.risk = risk
        self._extract = extract
        self._clinical = clinical
        self._new_network: Callable[[Composition], Model] | None = None
        self._final: tuple[Model, Reference] | None = None

    def take_networks(self, new_network: Callable[[Composition], Model]) -> None:
        """Keep what makes the networks; see `mtsbench.interfaces.TakesNetworks`."""
        self._new_network = new_network

    def learn(
        self, train: LabelledCohort, validation: LabelledCohort, context: FitContext
    ) -> FeatureTable:
        """Out-of-fold features of the training cases, then features of the validation cases.

        Raises:
            DataError: No validation case has a tumour mask, so that no epoch can be chosen.
            PluginError: Before `take_networks`.
        """
        if not self.risk:
            _check_masks(validation.cohort)
            context = replace(context, training=replace(context.training, select_by="dice"))
        fold = event_stratified_folds(train.outcomes.event, self.folds, context.seed)
        tables = []
        for number in range(int(fold.max()) + 1):
            others = _part(train, fold != number)
            network, reference = _trained(self._network(), others, validation, context, number)
            held_out = _part(train, fold == number).cohort
            tables.append(self._in_chunks(network, reference, held_out))
        number = int(fold.max()) + 1
        self._final = _trained(self._network(), train, validation, context, number)
        training = _in_order(stacked(*tables), train.cohort.case_ids)
        return stacked(training, self._in_chunks(*self._final, validation.cohort))

    def extract(self, cohort: Cohort) -> Extracted:
        """Features of new cases, and their tumour probability.

        Raises:
            NotFittedError: Before `learn` or `load`.
        """
        if self._final is None:
            raise NotFittedError("the network is not trained; call fit or load a stored model")
        return self._features(*self._final, cohort)

    def save(self, folder: Path) -> None:
        """Write the last network and its reference into `network/`."""
        if self._final is None:
            raise NotFittedError("the network is not trained; call fit before save")
        network, reference = self._final
        (folder / NETWORK).mkdir(exist_ok=True)
        network.save(folder / NETWORK)
        (folder / NETWORK / REFERENCE).write_text(reference.model_dump_json())

    def load(self, folder: Path) -> None:
        """Become what was saved, on the device of the networks that were taken.

        Raises:
            CheckpointError: A file is missing or damaged.
            PluginError: Before `take_networks`.
        """
        path = folder / NETWORK / REFERENCE
        try:
            reference = Reference.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise CheckpointError(f"{path} is missing; expected a model that was saved") from None
        except pydantic.ValidationError as error:
            raise CheckpointError(
                f"{path} is damaged ({error.errors()[0]['msg']}); train the model again or "
                "restore the file"
            ) from error
        network = self._network()
        network.load(folder / NETWORK)
        self._final = (network, reference)

    def _network(self) -> Model:
        if self._new_network is None:
            raise PluginError(
                "the model was given nothing that makes its network; get it from "
                "mtsbench.model_building.complete_model, or call take_networks first"
            )
        return self._new_network(self.composition)

    def _in_chunks(self, network: Model, reference: Reference, cohort: Cohort) -> FeatureTable:
        tables = [
            self._features(
                network,
                reference,
                replace(cohort, case_ids=cohort.case_ids[start : start + AT_ONCE]),
            ).table
            for start in range(0, len(cohort), AT_ONCE)
        ]
        return stacked(*tables)

    def _features(self, network: Model, reference: Reference, cohort: Cohort) -> Extracted:
        hidden = without_masks(cohort)
        predictions = network.predict(hidden)
        if predictions.tumour_probability is None:
            raise DataError(
                f"backbone {self.composition.backbone.name!r} does not segment, so there is no "
                "tumour to take features from; use a backbone that does"
            )
        masks = {
            case_id: probability > TUMOUR_THRESHOLD
            for case_id, probability in zip(
                cohort.case_ids, predictions.tumour_probability, strict=True
            )
        }
        table = self._extract(with_masks(hidden, masks))
        if self.risk:
            scaled = (predictions.risk - reference.mean) / reference.sd
            table = table.join(
                FeatureTable(
                    case_ids=cohort.case_ids,
                    names=(DEEP_RISK,),
                    values=scaled[:, None],
                    reasons={},
                )
            )
        if self._clinical:
            table = table.join(joined((clinical_features,), hidden))
        return Extracted(table=table, tumour_probability=predictions.tumour_probability)


def without_masks(cohort: Cohort) -> Cohort:
    """The cohort with every mask withheld."""

    def read(case_id: str) -> PreparedCase:
        return replace(cohort.read(case_id), mask=None)

    def read_native(case_id: str) -> Case:
        return replace(cohort.read_native(case_id), mask=None)

    return replace(cohort, read=read, read_native=read_native)


def with_masks(cohort: Cohort, masks: Mapping[str, NDArray[np.bool_]]) -> Cohort:
    """The cohort whose native cases show these masks (D, H, W), on their common grids.

    It has no cache folder: another network predicts other masks, so nothing that is derived from
    these would be asked for again.
    """

    def read_native(case_id: str) -> Case:
        mask = Volume(array=masks[case_id].astype(np.uint8), grid=cohort.read(case_id).grid)
        return replace(cohort.read_native(case_id), mask=mask)

    return replace(cohort, read_native=read_native, cache_folder=None)


@dataclass(frozen=True)
class _NumberedLog:
    """Tells the epochs of several networks apart."""

    log: Callable[[int, Mapping[str, float]], None]
    number: int

    def __call__(self, epoch: int, values: Mapping[str, float]) -> None:
        self.log(epoch, {**values, "inner_network": float(self.number)})


def _trained(
    network: Model,
    train: LabelledCohort,
    validation: LabelledCohort,
    context: FitContext,
    number: int,
) -> tuple[Model, Reference]:
    seed = int(np.random.SeedSequence([context.seed, number]).generate_state(1)[0])
    network.fit(
        train,
        validation,
        replace(context, seed=seed, log=_NumberedLog(context.log, number)),
    )
    hidden = without_masks(validation.cohort)
    risk = np.concatenate(
        [
            network.predict(replace(hidden, case_ids=hidden.case_ids[start : start + AT_ONCE])).risk
            for start in range(0, len(hidden), AT_ONCE)
        ]
    )
    sd = float(risk.std())
    return network, Reference(mean=float(risk.mean()), sd=sd if sd > 0 else 1.0)


def _part(labelled: LabelledCohort, chosen: NDArray[np.bool_]) -> LabelledCohort:
    ids = labelled.cohort.case_ids
    case_ids = tuple(case_id for case_id, wanted in zip(ids, chosen, strict=True) if wanted)
    return LabelledCohort(
        cohort=replace(labelled.cohort, case_ids=case_ids),
        outcomes=labelled.outcomes.subset(case_ids),
    )


def _in_order(table: FeatureTable, case_ids: Sequence[str]) -> FeatureTable:
    position = {case_id: row for row, case_id in enumerate(table.case_ids)}
    rows = [position[case_id] for case_id in case_ids]
    return replace(table, case_ids=tuple(case_ids), values=table.values[rows])


def _check_masks(cohort: Cohort) -> None:
    for row in range(len(cohort)):
        mask = cohort[row].mask
        if mask is not None and mask.any():
            return
    raise DataError(
        f"none of the {len(cohort)} validation cases has a tumour mask, so no network can be "
        "chosen by its segmentation; give masks or use a model of another region"
    )
