from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mtsbench.composition import TrainingSettings
from mtsbench.data import LabelledCohort
from mtsbench.engine.determinism import seeded
from mtsbench.engine.network import assemble, build_losses
from mtsbench.engine.training import (
    Validation,
    learning_rate,
    set_batch_norm_momentum,
    train,
    validate,
)
from mtsbench.errors import DataError, MtsbenchError


class Fit:
    """One training of the tiny network, with what it logged and the weights at each epoch."""

    def __init__(self, phantom, settings, composition=None, seed=0, validation=None) -> None:
        self.log: list[dict[str, float]] = []
        self.states: list[dict[str, torch.Tensor]] = []
        composition = composition or phantom.composition()
        with seeded(seed, "cpu"):
            self.network = assemble(composition, phantom.components(), 2, 1)
            train(
                self.network,
                build_losses(composition, phantom.components(), phantom.settings()),
                phantom.patients(18),
                validation or phantom.patients(12, seed=1),
                phantom.context(settings, seed, self._keep),
            )

    def _keep(self, epoch, values) -> None:
        assert epoch == len(self.log)
        self.log.append(dict(values))
        self.states.append({k: v.clone() for k, v in self.network.state_dict().items()})

    def scores(self) -> list[float]:
        return [values["validation_c_index"] for values in self.log]

    def kept_epochs(self) -> list[int]:
        """Epochs whose weights are those the network has now."""
        now = self.network.state_dict()
        return [
            epoch
            for epoch, state in enumerate(self.states)
            if all(torch.equal(state[name], now[name]) for name in now)
        ]


@given(
    starts=st.sets(st.integers(1, 50), max_size=4),
    epoch=st.integers(0, 60),
)
def test_the_learning_rate_is_that_of_the_last_step_that_has_begun(starts, epoch):
    steps = [0, *sorted(starts)]
    settings = TrainingSettings(learning_rates=tuple((s, 1.0 / (s + 1)) for s in steps))

    begun = max(start for start in steps if start <= epoch)

    assert learning_rate(settings, epoch) == 1.0 / (begun + 1)


def test_training_follows_the_learning_rate_schedule(phantom):
    rates = ((0, 1e-2), (1, 1e-3), (3, 1e-4))
    fit = Fit(phantom, phantom.settings(epochs=4, learning_rates=rates, steps_per_epoch=1))

    assert [values["learning_rate"] for values in fit.log] == [1e-2, 1e-3, 1e-3, 1e-4]


def test_a_learning_rate_of_almost_nothing_changes_almost_nothing(phantom):
    fit = Fit(phantom, phantom.settings(epochs=2, learning_rates=((0, 1e-2), (1, 1e-12))))

    for name, _ in fit.network.named_parameters():
        torch.testing.assert_close(fit.states[0][name], fit.states[1][name], atol=1e-9, rtol=0)


def test_every_epoch_logs_the_losses_and_the_validation_scores(phantom):
    fit = Fit(phantom, phantom.settings(epochs=2))

    assert len(fit.log) == 2
    for values in fit.log:
        assert values.keys() == {
            "loss",
            "cox",
            "dice",
            "learning_rate",
            "validation_c_index",
            "validation_dice",
        }
        penalty = values["loss"] - values["cox"] - values["dice"]
        assert 0 < penalty < 1e-3


def test_every_step_of_every_epoch_updates_the_batch_statistics(phantom):
    fit = Fit(phantom, phantom.settings(epochs=3, steps_per_epoch=4))

    counts = [int(state["backbone.fine.1.num_batches_tracked"]) for state in fit.states]
    assert counts == [4, 8, 12]


def test_the_seed_of_the_trial_draws_the_batches(phantom):
    losses = []
    for seed in (0, 0, 1):
        torch.manual_seed(0)
        network = assemble(phantom.composition(), phantom.components(), 2, 1)
        train(
            network,
            build_losses(phantom.composition(), phantom.components(), phantom.settings()),
            phantom.patients(18),
            phantom.patients(12, seed=1),
            phantom.context(
                phantom.settings(epochs=1), seed, lambda _, values: losses.append(values["loss"])
            ),
        )

    assert losses[0] == losses[1] != losses[2]


def test_training_sees_augmented_images_and_masks(phantom):
    still = {"rotation": 0.0, "translation": 0.0, "flip": 0.0}
    one_step = phantom.settings(epochs=1, steps_per_epoch=1)

    # The same cases with the same weights, so only the transforms can make a difference.
    plain, moved, wider = (
        Fit(phantom, settings).log[0]["dice"]
        for settings in (
            replace(one_step, **still),
            replace(one_step, translation=8.0),
            replace(one_step, translation=8.0, mask_threshold=0.9),
        )
    )

    assert len({plain, moved, wider}) == 3


def test_a_backbone_that_does_not_segment_logs_no_dice(phantom):
    fit = Fit(phantom, phantom.settings(epochs=1), phantom.composition(backbone="encoder"))

    assert "validation_dice" not in fit.log[0]


def test_training_stops_after_patience_and_keeps_the_best_epoch(phantom):
    # A Cox loss of negative weight learns the wrong order, so the score falls.
    wrong = phantom.composition(phantom.loss("cox", -1.0), phantom.loss("dice"))
    settings = phantom.settings(
        epochs=60, patience=3, learning_rates=((0, 1e-2),), steps_per_epoch=3
    )

    fit = Fit(phantom, settings, wrong)

    best = int(np.argmax(fit.scores()))
    assert fit.scores()[-1] < fit.scores()[best]
    assert len(fit.log) == best + 3 + 1 < 60
    assert fit.kept_epochs() == [best]


def test_of_equal_scores_the_first_is_kept(phantom):
    # Neither weights nor running statistics move; only the count of batches tells epochs apart.
    still = {"learning_rates": ((0, 1e-12),), "batch_norm_momentum": 1e-12}

    fit = Fit(phantom, phantom.settings(epochs=9, patience=2, **still))

    assert len(set(fit.scores())) == 1
    assert len(fit.log) == 3
    assert fit.kept_epochs() == [0]


def test_training_that_improves_to_the_end_uses_every_epoch(phantom):
    fit = Fit(phantom, phantom.settings(epochs=3, patience=50))

    assert len(fit.log) == 3


def test_the_loss_that_is_no_longer_finite_is_named_with_its_epoch(phantom):
    settings = phantom.settings(epochs=5, steps_per_epoch=4)
    composition = phantom.composition(phantom.loss("failing", good_steps=6))

    with pytest.raises(
        MtsbenchError, match="the training loss became nan in epoch 1; lower the learning rate"
    ):
        Fit(phantom, settings, composition)


@pytest.mark.parametrize("select_by", ["c-index", "c-index+dice"])
def test_the_score_that_selects_the_epoch(select_by):
    settings = TrainingSettings(select_by=select_by)

    expected = 0.8 if select_by == "c-index" else 0.5
    assert Validation(c_index=0.8, dice=0.2).selection(settings) == pytest.approx(expected)
    assert Validation(c_index=0.8, dice=None).selection(settings) == 0.8


def test_validation_without_comparable_pair_is_refused(phantom):
    patients = phantom.patients(6, seed=1)
    censored = LabelledCohort(
        cohort=patients.cohort,
        outcomes=replace(patients.outcomes, event=np.zeros(6, np.bool_)),
    )

    with pytest.raises(
        DataError, match=r"validation part: no comparable pair among 6 cases .*; use fewer folds"
    ):
        Fit(phantom, phantom.settings(), validation=censored)


def test_a_network_whose_risks_are_no_numbers_is_not_called_a_fold_without_pairs(phantom):
    patients = phantom.patients(6, seed=1)
    network = assemble(phantom.composition(), phantom.components(), 2, 1)
    torch.nn.init.constant_(network.head.linear.bias, torch.nan)

    with pytest.raises(
        MtsbenchError,
        match=r"gives 6 of 6 validation cases a risk that is no finite number; lower the learning",
    ):
        validate(network, patients, phantom.context(phantom.settings()))


def test_training_without_censored_cases_is_refused(phantom):
    patients = phantom.patients(6)
    events = LabelledCohort(
        cohort=patients.cohort, outcomes=replace(patients.outcomes, event=np.ones(6, np.bool_))
    )
    network = assemble(phantom.composition(), phantom.components(), 2, 1)

    with pytest.raises(DataError, match="pfs: the training part has 6 events and 0 censored"):
        train(
            network,
            build_losses(phantom.composition(), phantom.components(), phantom.settings()),
            events,
            patients,
            phantom.context(phantom.settings()),
        )


def test_validation_is_harrells_c_and_the_mean_dice_of_the_whole_fold(phantom):
    fit = Fit(phantom, phantom.settings(epochs=1))
    # Thirteen cases are a batch of eight and one of five.
    patients = phantom.patients(13, seed=1)

    scores = [
        validate(fit.network, patients, phantom.context(phantom.settings(batch_size=size)))
        for size in (8, 13)
    ]

    assert scores[0].c_index == scores[1].c_index
    assert scores[0].dice == pytest.approx(scores[1].dice, abs=1e-6)
    assert 0 < scores[0].dice < 1


def test_the_momentum_reaches_every_batch_normalisation():
    network = torch.nn.Sequential(
        torch.nn.BatchNorm3d(2),
        torch.nn.Sequential(torch.nn.Conv3d(2, 2, 1), torch.nn.BatchNorm3d(2, momentum=None)),
        torch.nn.BatchNorm1d(3),
    )

    set_batch_norm_momentum(network, 0.25)

    assert [m.momentum for m in network.modules() if hasattr(m, "momentum")] == [0.25] * 3


def test_the_networks_own_momentum_is_kept_where_none_is_set(phantom):
    kept = Fit(phantom, phantom.settings(epochs=1, batch_norm_momentum=None)).network
    changed = Fit(phantom, phantom.settings(epochs=1, batch_norm_momentum=0.5)).network

    assert kept.backbone.fine[1].momentum == 0.1
    assert changed.backbone.fine[1].momentum == 0.5
