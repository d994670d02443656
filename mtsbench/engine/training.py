"""The training loop: balanced batches, a stepped learning rate, early stopping on validation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from mtsbench.engine.balancing import first_stage_epochs
from mtsbench.engine.inference import infer
from mtsbench.engine.sources import case_source
from mtsbench.engine.step import TrainingStep
from mtsbench.errors import DataError, MtsbenchError, UndefinedMetricError
from mtsbench.metrics.survival import harrell_c

if TYPE_CHECKING:
    from mtsbench.composition import TrainingSettings
    from mtsbench.data import LabelledCohort
    from mtsbench.engine.network import MultiTaskNetwork, TotalLoss
    from mtsbench.engine.sources import CaseSource
    from mtsbench.interfaces import FitContext


@dataclass(frozen=True, kw_only=True)
class Validation:
    """Scores of one epoch on the whole validation fold; dice is None where nothing segments."""

    c_index: float
    dice: float | None

    def selection(self, settings: TrainingSettings) -> float:
        """The score that early stopping maximises."""
        if settings.select_by == "c-index" or self.dice is None:
            return self.c_index
        if settings.select_by == "dice":
            return self.dice
        return (self.c_index + self.dice) / 2


def train(
    network: MultiTaskNetwork,
    total_loss: TotalLoss,
    training: LabelledCohort,
    validation: LabelledCohort,
    context: FitContext,
) -> None:
    """Train in place and leave the weights of the best validation epoch.

    The epochs of a first stage that trains segmentation alone cannot be the best.

    Raises:
        DataError: The training part lacks events or censored cases, or the validation part has
            no comparable pair.
        MtsbenchError: The loss is no longer finite, or one that is balanced by uncertainty is
            negative.
    """
    settings = context.training
    if settings.batch_norm_momentum is not None:
        set_batch_norm_momentum(network, settings.batch_norm_momentum)
    generator = np.random.default_rng(context.seed)
    step = TrainingStep(network, total_loss, training, context, generator)
    validated = case_source(validation.cohort, context.device, step.memory_left)
    first_stage = first_stage_epochs(settings)
    best_score, best_epoch, best_state = -np.inf, -1, None
    for epoch in range(settings.epochs):
        rate = learning_rate(settings, epoch)
        step.set_rate(rate)
        losses = _train_epoch(step, epoch)
        scores = validate(network, validation, context, validated)
        context.log(epoch, _epoch_log(losses, scores, rate))
        if epoch < first_stage:
            continue
        if scores.selection(settings) > best_score:
            best_score, best_epoch = scores.selection(settings), epoch
            best_state = {
                name: value.detach().clone() for name, value in network.state_dict().items()
            }
        if epoch - best_epoch >= settings.patience:
            break
    assert best_state is not None  # settings.epochs >= 1 and every score is finite
    network.load_state_dict(best_state)


def learning_rate(settings: TrainingSettings, epoch: int) -> float:
    """The rate of the last step of the schedule that has begun."""
    return [rate for first, rate in settings.learning_rates if first <= epoch][-1]


def set_batch_norm_momentum(network: nn.Module, momentum: float) -> None:
    """Set how fast running statistics follow the batches (torch's sense: 1 = the last batch)."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = momentum


def validate(
    network: MultiTaskNetwork,
    validation: LabelledCohort,
    context: FitContext,
    source: CaseSource | None = None,
) -> Validation:
    """Harrell's C and mean Dice at 0.5 over the whole validation fold.

    Args:
        network: Put into evaluation mode.
        validation: The fold.
        context: Device and batch size.
        source: Gives the fold's batches; None reads every case once.

    Raises:
        DataError: No pair of validation cases is comparable.
        MtsbenchError: The network gives a risk that is no finite number.
    """
    inferred = infer(
        network,
        validation.cohort,
        context.device,
        context.training.batch_size,
        precision=context.training.precision,
        source=source,
    )
    if not np.isfinite(inferred.risk).all():
        raise MtsbenchError(
            f"the network gives {np.count_nonzero(~np.isfinite(inferred.risk))} of "
            f"{len(inferred.risk)} validation cases a risk that is no finite number; lower the "
            "learning rate (--set training.learning_rates) or check the data"
        )
    try:
        c_index = harrell_c(inferred.risk, validation.outcomes.time, validation.outcomes.event)
    except UndefinedMetricError as undefined:
        raise DataError(
            f"validation part: {undefined}; use fewer folds or a larger --validation-share"
        ) from undefined
    dice = [value for value in inferred.dice if value is not None]
    return Validation(c_index=c_index, dice=float(np.mean(dice)) if dice else None)


def _train_epoch(step: TrainingStep, epoch: int) -> Mapping[str, float]:
    settings, sums = step.context.training, dict[str, Tensor]()
    step.network.train()
    for _ in range(settings.steps_per_epoch):
        for name, value in step(epoch).items():
            sums[name] = sums.get(name, torch.zeros_like(value)) + value
    # One look per epoch: asking at every step would make a GPU wait for the CPU.
    means = {name: float(value) / settings.steps_per_epoch for name, value in sums.items()}
    if not np.isfinite(means["loss"]):
        raise MtsbenchError(
            f"the training loss became {means['loss']} in epoch {epoch}; lower the learning rate "
            "(--set training.learning_rates) or check the data"
        )
    negative = [name for name in step.total_loss.losses if means[name] < 0]
    if settings.balancing == "uncertainty" and negative:
        raise MtsbenchError(
            f"loss {negative[0]!r} was {means[negative[0]]:.3g} in epoch {epoch}, and balancing by "
            "uncertainty has no minimum for negative losses; use one that is never negative, "
            "such as dice-ce, or training.balancing=fixed"
        )
    return means


def _epoch_log(losses: Mapping[str, float], scores: Validation, rate: float) -> Mapping[str, float]:
    log = {**losses, "learning_rate": rate, "validation_c_index": scores.c_index}
    return log if scores.dice is None else {**log, "validation_dice": scores.dice}
