"""A composition as a model: the bridge between the runner and the engine."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from mtsbench.capabilities import gives_curves
from mtsbench.data import Predictions
from mtsbench.engine.checkpoints import load_weights, read_description, save_network
from mtsbench.engine.determinism import seeded
from mtsbench.engine.image_size import check_size
from mtsbench.engine.inference import infer
from mtsbench.engine.network import MultiTaskNetwork, assemble, build_losses
from mtsbench.engine.precision import place, tensor_cores
from mtsbench.engine.reused_memory import reused_memory
from mtsbench.engine.training import train as train_network
from mtsbench.engine.view import seen_by
from mtsbench.errors import NotFittedError

if TYPE_CHECKING:
    from mtsbench.composition import Composition, Precision
    from mtsbench.data import Cohort, LabelledCohort, Outcomes
    from mtsbench.interfaces import FitContext
    from mtsbench.plugins import Components


_log = logging.getLogger(__name__)


class DeepModel:
    """Implements `mtsbench.interfaces.Model` for a composition.

    Args:
        composition: The parts.
        components: Where the parts are built.
        device: torch device of a model that is loaded; a fitted one is where its context says.
    """

    def __init__(self, composition: Composition, components: Components, device: str) -> None:
        self.composition = composition
        self.components = components
        self.device = device
        self._network: MultiTaskNetwork | None = None
        self._shape = (0, 0)
        self._precision: Precision = "auto"
        self._batch_size = composition.training.batch_size

    def fit(self, train: LabelledCohort, validation: LabelledCohort, context: FitContext) -> None:
        """Train on the first cohort, stop early on the second."""
        train, validation = self.seen(train), self.seen(validation)
        cohort, device = train.cohort, context.device
        precision, batch_size = context.training.precision, context.training.batch_size
        with seeded(context.seed, device), tensor_cores(device, precision), reused_memory(device):
            network = self.assemble_for(cohort, train.outcomes)
            place(network, device)
            losses = build_losses(self.composition, self.components, context.training)
            train_network(network, losses, train, validation, context)
            if gives_curves(network.head):
                fitted = infer(network, cohort, device, batch_size, precision=precision)
                outputs = torch.from_numpy(fitted.survival).to(device)
                network.head.learn_baseline(outputs, train.outcomes)
        self._network, self.device = network, device
        self._precision, self._batch_size = precision, batch_size

    def predict(self, cohort: Cohort) -> Predictions:
        """Risk; survival curves of a head that gives them; tumour probability if segmented."""
        network = self._fitted("predict")
        with tensor_cores(self.device, self._precision), reused_memory(self.device):
            inferred = infer(
                network,
                seen_by(self.composition, cohort),
                self.device,
                self._batch_size,
                in_full=True,
                precision=self._precision,
            )
        return Predictions(
            case_ids=cohort.case_ids,
            risk=inferred.risk,
            survival=inferred.curves,
            survival_time=inferred.survival_time,
            survival_reading=inferred.survival_reading,
            tumour_probability=inferred.tumour_probability,
        )

    def save(self, folder: Path) -> None:
        """Write `checkpoint.safetensors` and `network.json`."""
        channels, clinical_features = self._shape
        save_network(
            self._fitted("save"),
            folder,
            parts=self._parts(),
            channels=channels,
            clinical_features=clinical_features,
            precision=self._precision,
            batch_size=self._batch_size,
        )

    def load(self, folder: Path) -> None:
        """Become the stored network, which predicts as it did where it was fitted.

        With precision `auto` that is the device's own, as `TrainingSettings.precision` says.
        """
        description = read_description(folder, self._parts())
        # The initial weights are drawn before they are replaced; the caller's generator stays as
        # it was.
        with seeded(0, self.device):
            network = self._assemble(description.channels, description.clinical_features)
        load_weights(network, folder)
        place(network, self.device)
        self._network = network
        if description.precision is None or description.batch_size is None:
            _log.warning(
                "%s is of format 1, which does not say in which precision it was trained; it "
                "predicts in the precision that is usual on %s. Train the model again if it was "
                "trained with another training.precision",
                folder,
                self.device,
            )
        self._precision = description.precision or "auto"
        self._batch_size = description.batch_size or self.composition.training.batch_size

    def assemble_for(self, cohort: Cohort, outcomes: Outcomes) -> MultiTaskNetwork:
        """A new network for cases like these, its cut points learnt from their outcomes."""
        network = self._assemble(len(cohort.channels), len(cohort.clinical_features))
        self._check_size(network, cohort)
        network.head.learn_outcomes(outcomes)
        return network

    def seen(self, labelled: LabelledCohort) -> LabelledCohort:
        """The cohort as the composition sees it: some channels, or the tumour region alone."""
        return replace(labelled, cohort=seen_by(self.composition, labelled.cohort))

    def _assemble(self, channels: int, clinical_features: int) -> MultiTaskNetwork:
        self._shape = (channels, clinical_features)
        return assemble(self.composition, self.components, channels, clinical_features)

    def _parts(self) -> dict[str, str]:
        """What decides the function that the weights parametrise."""
        composition = self.composition
        named = {
            "backbone": composition.backbone,
            "survival_network": composition.survival_network,
            "head": composition.head,
        }
        return {
            "mask_link": composition.mask_link,
            "backbone_features": str(composition.backbone_features),
            "channels": ", ".join(composition.channels or ("all",)),
            "region": composition.region,
            **{
                role: f"{part.name} {json.dumps(dict(part.options), sort_keys=True)}"
                for role, part in named.items()
                if part is not None
            },
        }

    def _fitted(self, wish: str) -> MultiTaskNetwork:
        if self._network is None:
            raise NotFittedError(
                f"cannot {wish}: the model is not fitted; call fit or load a checkpoint first"
            )
        return self._network

    def _check_size(self, network: MultiTaskNetwork, cohort: Cohort) -> None:
        size = cohort[0].image.shape[1:]
        built = (network.backbone, network.survival_network)
        parts = (self.composition.backbone, self.composition.survival_network)
        for backbone, part in zip(built, parts, strict=True):
            if backbone is not None and part is not None:
                check_size(backbone, part.name, size)
