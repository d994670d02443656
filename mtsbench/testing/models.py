"""What a model promises: honest, repeatable predictions in the cohort's order."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np
from scipy.stats import spearmanr

from mtsbench.components import ModelComponent
from mtsbench.composition import Composition, Part, TrainingSettings
from mtsbench.data import Cohort, LabelledCohort, Predictions
from mtsbench.errors import CheckpointError, NotFittedError
from mtsbench.interfaces import Backbone, FitContext, Model
from mtsbench.metrics.survival import harrell_c
from mtsbench.model_building import complete_model
from mtsbench.testing.contract import BrokenPromise, Contract, NotApplicable, ensure
from mtsbench.testing.phantom import phantom_cohort, recording

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.data import Outcomes

SUFFIXES = (".safetensors", ".json", ".csv", ".parquet", ".toml", ".txt")
LEAST_SIDE = 16
TOLERANCE = 1e-4
BETTER_THAN_CHANCE = 0.6


@dataclass(frozen=True, kw_only=True, eq=False)
class OpenCohort(Cohort):
    """Test cases whose outcomes lie open; a model that looks at them has seen the answer."""

    outcomes: Outcomes


class ModelContract(Contract):
    """Checks of one model on a phantom of 16^3 voxels: 24 training, 12 validation, 12 test cases.

    Attributes:
        training: Budget of gradient training that learns the phantom in seconds.
    """

    kind = "model"
    training: ClassVar[TrainingSettings] = TrainingSettings(
        epochs=3,
        steps_per_epoch=4,
        batch_size=4,
        learning_rates=((0, 3e-3),),
        translation=2.0,
        batch_norm_momentum=0.3,
    )

    def test_predicting_before_fit_is_refused(self) -> None:
        """`predict` raises NotFittedError before `fit`."""
        try:
            self._model().predict(self._test().cohort)
        except NotFittedError:
            return
        except Exception as error:
            ensure(False, f"predict before fit raised {error!r}; raise NotFittedError")
        ensure(False, "predict before fit gave predictions; raise NotFittedError")

    def test_saving_before_fit_is_refused(self) -> None:
        """`save` raises NotFittedError before `fit`."""
        with tempfile.TemporaryDirectory() as folder:
            try:
                self._model().save(Path(folder))
            except NotFittedError:
                return
            except Exception as error:
                ensure(False, f"save before fit raised {error!r}; raise NotFittedError")
            ensure(False, "save before fit wrote a checkpoint; raise NotFittedError")

    def test_no_case_but_the_given_is_read_during_fit(self) -> None:
        """`fit` reads training and validation cases only."""
        train, validation = self._train(), self._validation()
        asked: list[str] = []
        self._fit(recording(train, asked), recording(validation, asked))
        allowed = {*train.cohort.case_ids, *validation.cohort.case_ids}
        foreign = sorted(set(asked) - allowed)

        if foreign:
            raise BrokenPromise(f"fit read the case {foreign[0]!r}, which is no training case")

    def test_the_predictions_are_those_declared(self) -> None:
        """Risk, survival curves and masks are there exactly as `produces` says."""
        predictions = self._fitted().predict(self._test().cohort)
        found = {"risk"}
        found |= {"survival"} if predictions.survival is not None else set()
        found |= {"mask"} if predictions.tumour_probability is not None else set()
        declared = self._declared().produces

        ensure(
            found == declared,
            f"declares produces = {sorted(declared)}, predictions hold {sorted(found)}",
        )

    def test_tumour_maps_are_probabilities_on_the_grid_of_each_case(self) -> None:
        """A tumour map has the voxels of its case, each between 0 and 1."""
        if "mask" not in self._declared().produces:
            raise NotApplicable("the model does not declare to produce masks")
        cohort = self._test().cohort
        maps = self._fitted().predict(cohort).tumour_probability or ()
        cases = (cohort[row] for row in range(len(cohort)))
        for case, found in zip(cases, maps, strict=True):
            ensure(
                found.shape == case.image.shape[1:],
                f"case {case.case_id!r} has {case.image.shape[1:]} voxels, its tumour map "
                f"{found.shape}",
            )
            ensure(
                np.isfinite(found).all() and found.min() >= 0 and found.max() <= 1,
                f"the tumour map of case {case.case_id!r} leaves [0, 1]; give probabilities",
            )

    def test_predictions_follow_the_order_of_the_cohort(self) -> None:
        """Ids come back in order, and a case keeps its risk when the order changes."""
        cohort = self._test().cohort
        backwards = replace(cohort, case_ids=cohort.case_ids[::-1])
        forth, back = (self._fitted().predict(one) for one in (cohort, backwards))

        ensure(
            (forth.case_ids, back.case_ids) == (cohort.case_ids, backwards.case_ids),
            "the predictions name other cases, or in another order, than the cohort",
        )
        ensure(close(forth.risk, back.risk[::-1]), "a case has another risk in another order")

    def test_one_case_equals_a_batch(self) -> None:
        """A case predicted alone has the risk it has among others."""
        cohort = self._test().cohort
        together = self._fitted().predict(cohort)
        alone = self._fitted().predict(replace(cohort, case_ids=cohort.case_ids[:1]))

        ensure(
            close(alone.risk, together.risk[:1]),
            f"case {cohort.case_ids[0]!r} has risk {alone.risk[0]:.6g} alone and "
            f"{together.risk[0]:.6g} among others",
        )

    def test_outcomes_of_test_cases_change_nothing(self) -> None:
        """With scrambled test outcomes in reach the predictions stay as they are."""
        test = self._test()
        plain = self._fitted().predict(test.cohort)
        for seed in (0, 1):
            told = self._fitted().predict(_opened(test, seed))
            ensure(
                close(told.risk, plain.risk),
                "the risks change when the test cases' outcomes can be seen: the model reads them",
            )

    def test_the_same_seed_gives_the_same_predictions(self) -> None:
        """Fitting twice with one seed gives equal risks on the CPU."""
        cohort = self._test().cohort
        first = self._fitted().predict(cohort)
        second = self._fit(self._train(), self._validation()).predict(cohort)

        ensure(
            close(first.risk, second.risk),
            "two fits with the same seed give other risks; draw from FitContext.seed only",
        )

    def test_a_higher_risk_means_an_earlier_event(self) -> None:
        """On a phantom whose uptake decides the outcome the risks rank the test cases."""
        if not self._declared().ranks_cases:
            raise NotApplicable("the model declares ranks_cases = False")
        test = self._test()
        predictions = self._fitted().predict(test.cohort)
        found = harrell_c(predictions.risk, test.outcomes.time, test.outcomes.event)

        ensure(
            found >= BETTER_THAN_CHANCE,
            f"Harrell's C on the phantom is {found:.2f}, expected {BETTER_THAN_CHANCE} or more; "
            "check the sign of the risk, or give a larger `training`",
        )

    def test_a_higher_risk_has_the_lower_curve(self) -> None:
        """Risk and survival curves agree about which cases have their event earlier."""
        declared = self._declared()
        if "survival" not in declared.produces or not declared.ranks_cases:
            raise NotApplicable("the model declares no curves, or to rank no case")
        predictions = self._fitted().predict(self._test().cohort)
        assert predictions.survival is not None
        found = spearmanr(predictions.risk, -predictions.survival.mean(axis=1)).statistic

        ensure(
            found > 0,
            f"rank correlation of risk and early events by the curves is {found:.2f}; a higher "
            "risk must mean an earlier event",
        )

    def test_a_stored_model_predicts_the_same(self) -> None:
        """`load` of a new model becomes what `save` wrote."""
        cohort = self._test().cohort
        with tempfile.TemporaryDirectory() as folder:
            self._fitted().save(Path(folder))
            again = self._model()
            again.load(Path(folder))
        first, second = self._fitted().predict(cohort), again.predict(cohort)

        ensure(_equal(first, second), "the loaded model predicts something else than the saved one")

    def test_a_stored_model_is_no_pickle(self) -> None:
        """`save` writes safetensors, JSON, CSV or parquet."""
        with tempfile.TemporaryDirectory() as folder:
            self._fitted().save(Path(folder))
            files = [one for one in Path(folder).rglob("*") if one.is_file()]
            wrong = [one.name for one in files if one.suffix not in SUFFIXES]

        ensure(files, "save wrote no file")
        if wrong:
            raise BrokenPromise(f"save wrote {wrong[0]!r}; write safetensors, JSON, CSV or parquet")

    def test_a_damaged_checkpoint_is_refused(self) -> None:
        """`load` of an empty folder raises CheckpointError."""
        with tempfile.TemporaryDirectory() as folder:
            try:
                self._model().load(Path(folder))
            except CheckpointError:
                return
            except Exception as error:
                ensure(False, f"load of an empty folder raised {error!r}; raise CheckpointError")
        ensure(False, "load of an empty folder went well; raise CheckpointError")

    @classmethod
    def _declared(cls) -> ModelComponent[object]:
        return cast("ModelComponent[object]", cls.record())

    @classmethod
    def _model(cls) -> Model:
        return complete_model(cls.build(), cls.components(), "cpu")

    @classmethod
    def _fit(cls, train: LabelledCohort, validation: LabelledCohort) -> Model:
        model = cls._model()
        context = FitContext(
            seed=0, device="cpu", training=cls.training, log=lambda epoch, values: None
        )
        model.fit(train, validation, context)
        return model

    @classmethod
    def _fitted(cls) -> Model:
        """Fitted once for all checks of a class."""
        if "_kept" not in vars(cls):
            cls._kept = cls._fit(cls._train(), cls._validation())
        return cls._kept

    _kept: ClassVar[Model]

    @classmethod
    def _train(cls) -> LabelledCohort:
        return cls._phantom(24, seed=0)

    @classmethod
    def _validation(cls) -> LabelledCohort:
        return cls._phantom(12, seed=1)

    @classmethod
    def _test(cls) -> LabelledCohort:
        """Masks are withheld unless the model declares that it needs them."""
        masks = cls._declared().needs_mask_at_test
        return phantom_cohort(12, seed=2, side=cls._side(), masks=masks)

    @classmethod
    def _phantom(cls, count: int, seed: int) -> LabelledCohort:
        declared = cls._declared()
        masks = declared.needs_mask_at_test or "training-masks" in declared.needs
        return phantom_cohort(count, seed=seed, side=cls._side(), masks=masks)

    @classmethod
    def _side(cls) -> int:
        """The least side, from 16 voxels on, that every network of a composition takes."""
        if "_voxels" not in vars(cls):
            built = cls.build()
            composition = getattr(built, "composition", built)
            cls._voxels = LEAST_SIDE
            if isinstance(composition, Composition):
                from mtsbench.engine.image_size import side_for

                parts = (composition.backbone, composition.survival_network)
                cls._voxels = side_for([cls._network(one) for one in parts if one], LEAST_SIDE)
        return cls._voxels

    _voxels: ClassVar[int]

    @classmethod
    def _network(cls, part: Part) -> Backbone:
        built = cls.components().build("backbone", part.name, 2, options=part.options)
        return cast("Backbone", built)


def close(first: NDArray[np.float64], second: NDArray[np.float64]) -> bool:
    """Whether risks agree to 1e-4 of their spread or size."""
    return first.shape == second.shape and bool(
        np.allclose(first, second, rtol=TOLERANCE, atol=TOLERANCE * float(np.std(second)) + 1e-9)
    )


def _equal(first: Predictions, second: Predictions) -> bool:
    if first.survival_reading != second.survival_reading or not close(first.risk, second.risk):
        return False
    if first.survival is None or second.survival is None:
        return first.survival is second.survival
    return bool(np.allclose(first.survival, second.survival))


def _opened(test: LabelledCohort, seed: int) -> OpenCohort:
    """The test cases with their outcomes in reach, dealt anew."""
    order = np.random.default_rng(seed).permutation(len(test))
    cohort = test.cohort
    return OpenCohort(
        case_ids=cohort.case_ids,
        channels=cohort.channels,
        clinical_features=cohort.clinical_features,
        read=cohort.read,
        read_native=cohort.read_native,
        outcomes=replace(
            test.outcomes, time=test.outcomes.time[order], event=test.outcomes.event[order]
        ),
    )
