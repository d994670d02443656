from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtsbench.comparison.both_endpoints import discordant_share, patient_errors
from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.concordance import concordance


@pytest.fixture
def tested(analysed):
    return analysed(None, {"a": 1.0}).entries[0].tested


def test_the_errors_of_a_fold_average_to_its_discordance(tested):
    """Weighted by pairs, the shares give 1 - C: they are what the C-index is made of."""
    for fold in tested.folds:
        share = discordant_share(fold)
        time, event = fold.outcomes.time, fold.outcomes.event
        led = event[:, None] & ((time[:, None] < time) | ((time[:, None] == time) & ~event))
        pairs = led.sum(axis=0) + led.sum(axis=1)
        c = concordance(fold.predictions.risk, time, event).value
        assert np.nansum(share * pairs) / pairs.sum() == pytest.approx(1 - c)


def test_a_patient_without_any_pair_has_no_error(tested):
    fold = tested.folds[0]
    nobody = replace(fold.outcomes, event=np.zeros(len(fold.outcomes), bool))

    assert np.isnan(discordant_share(replace(fold, outcomes=nobody))).all()


def test_errors_that_go_together_correlate(tested):
    folds = tuple(
        replace(f, masks={**f.masks, "dice": 1 - discordant_share(f)}) for f in tested.folds
    )

    found = patient_errors(replace(tested, folds=folds))

    assert found.correlation == pytest.approx(1)
    assert len(found.case_ids) == len(found.survival) == 90


def test_too_few_or_constant_errors_are_refused(tested):
    empty = [replace(f, masks={"dice": np.full(30, np.nan)}) for f in tested.folds]
    with pytest.raises(UndefinedMetricError, match="0 patients have both errors; three are needed"):
        patient_errors(replace(tested, folds=tuple(empty)))

    alike = [replace(f, masks={"dice": np.full(30, 0.5)}) for f in tested.folds]
    with pytest.raises(UndefinedMetricError, match="an error is the same for all patients"):
        patient_errors(replace(tested, folds=tuple(alike)))
