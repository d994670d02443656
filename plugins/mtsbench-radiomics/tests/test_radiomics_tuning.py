"""Inner cross-validation: nothing is learnt from the cases on which candidates are compared."""

from __future__ import annotations

import numpy as np
from mtsbench_radiomics.estimators.coxnet import Coxnet
from mtsbench_radiomics.features.table import FeatureTable
from mtsbench_radiomics.models.preparation import PreparationSettings
from mtsbench_radiomics.models.sources import clinical_features
from mtsbench_radiomics.models.tuning import TrainingPart, choose

from mtsbench.data import Outcomes


def test_without_a_comparable_inner_fold_the_simplest_candidate_is_chosen(make_patients):
    patients = make_patients(12)
    patients.event[:] = False
    patients.event[:3] = True  # each inner fold leaves two events to learn from
    labelled = patients.labelled()
    part = TrainingPart(
        table=clinical_features(labelled.cohort),
        outcomes=labelled.outcomes,
        settings=PreparationSettings(),
        always=(),
    )
    design = part.prepare()[1]

    choice = choose(Coxnet(), part, design, 5, 0)

    assert choice.candidate == Coxnet().candidates(design)[0]
    assert (choice.concordance, choice.folds) == (None, 0)


def test_screening_happens_anew_in_every_inner_fold():
    rng = np.random.default_rng(0)
    case_ids = tuple(f"P{number}" for number in range(60))
    table = FeatureTable(
        case_ids=case_ids,
        names=tuple(f"n{number}" for number in range(400)),
        values=rng.normal(size=(60, 400)),
        reasons={},
    )
    outcomes = Outcomes(
        endpoint="os",
        case_ids=case_ids,
        time=rng.exponential(100, 60) + 1,
        event=rng.random(60) < 0.7,
    )
    part = TrainingPart(
        table=table, outcomes=outcomes, settings=PreparationSettings(screened=10), always=()
    )

    choice = choose(Coxnet(), part, part.prepare()[1], 5, 0)

    # Features screened on all cases would order the held-out ones far better than by chance.
    assert choice.concordance < 0.65
