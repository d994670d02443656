"""A plan refuses or warns of parts that are too small, and what it advises works."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtsbench.data import Outcomes
from mtsbench.errors import DataError
from mtsbench.experiment import Request
from mtsbench.fold_sizes import fold_sizes
from mtsbench.plan import plan_run

ADVISED = re.compile(r"use(?: --folds (\d))?(?: --validation-share (0\.\d+))? \(in a file: folds")


@pytest.fixture(scope="module")
def plan(tiny, tmp_path_factory):
    """Plans a run of a model on patients with these outcomes."""
    folder = tmp_path_factory.mktemp("runs")

    def plan(event, time=None, *, network=True, **changes):
        event = np.array(event, dtype=np.bool_)
        days = np.arange(len(event), 0, -1) * 100.0 if time is None else np.array(time, float)

        class Followed(tiny.TinyDataset):
            def outcomes(self, endpoint):
                return Outcomes(endpoint=endpoint, case_ids=self.case_ids, time=days, event=event)

        components = tiny.components(with_parts=True, dataset=lambda root: Followed(len(event)))
        model = "deep-inside" if network else "uptake"
        return plan_run(
            Request(model=model, dataset="tiny", preset="demo", device="cpu", **changes),
            components,
            folder,
        )

    return plan


def followed(message: str) -> dict[str, float]:
    """Folds and validation share that a message advises."""
    found = ADVISED.search(message)
    assert found, message
    folds = {"folds": int(found[1])} if found[1] else {}
    return folds | ({"validation_share": float(found[2])} if found[2] else {})


SIX_OF_TWENTY = [number < 6 for number in range(20)]
# Both events that come into a validation part alone are the last of their part.
LATE = [100.0 * (20 - number if number >= 6 else 30 + number) for number in range(20)]


def test_the_sizes_of_every_part_are_known_at_planning(plan):
    planned = plan([True, False] * 15, network=False, folds=3)

    assert [(one.repeat, one.fold) for one in planned.folds] == [(0, 0), (0, 1), (0, 2)]
    for one, split in zip(planned.folds, planned.splits, strict=True):
        assert (one.train.cases, one.validation.cases, one.test.cases) == (
            len(split.train),
            len(split.validation),
            len(split.test),
        )
    assert sum(one.test.events for one in planned.folds) == 15
    assert str(planned.folds[0]).startswith("fold 0 of repeat 0 (training 16 patients with ")


def test_a_network_that_could_not_choose_its_epoch_is_refused_with_what_works(plan):
    """20 patients, 6 events: fold 1 died after training, with advice that could not be followed."""
    with pytest.raises(
        DataError,
        match=r"pfs: deep-inside chooses its epoch by the C-index of the validation part, and in "
        r"fold \d of repeat 0 \(training \d+ patients with \d events, validation \d patients with "
        r"1 event, test \d patients with 2 events\) no pair of validation patients can be ordered; "
        r"use --",
    ) as refused:
        plan(SIX_OF_TWENTY, LATE)

    assert plan(SIX_OF_TWENTY, LATE, **followed(str(refused.value))).todo >= 2


def test_a_model_without_a_network_needs_no_order_in_the_validation_part(plan):
    assert plan(SIX_OF_TWENTY, LATE, network=False).todo == 3


@settings(deadline=None, max_examples=40)
@given(
    event=st.lists(st.booleans(), min_size=6, max_size=30).filter(any),
    folds=st.integers(2, 6),
    share=st.sampled_from([0.1, 0.2, 0.3]),
    randomness=st.randoms(use_true_random=False),
)
def test_what_a_refused_network_is_advised_can_be_planned(plan, event, folds, share, randomness):
    time = [float(randomness.randint(200, 2000)) for _ in event]
    wanted = {"folds": folds, "validation_share": share}
    try:
        planned = plan(event, time, settings={"training.balanced": "false"}, **wanted)
    except DataError as refused:
        if "no validation share works" in str(refused):
            return
        planned = plan(
            event,
            time,
            settings={"training.balanced": "false"},
            **{**wanted, **followed(str(refused))},
        )
    assert all(one.validation.ordered for one in planned.folds)


def test_a_cohort_that_no_setting_can_help_is_told_so(plan):
    with pytest.raises(
        DataError,
        match=r"with 2 folds or fewer no validation share works: add patients or choose an",
    ):
        plan([True] * 4 + [False] * 6, [900.0] * 4 + [100.0] * 6, folds=2)


def test_balanced_batches_without_censored_patients_are_refused_before_training(plan):
    with pytest.raises(
        DataError,
        match=r"a balanced batch needs events and censored cases, and in fold 0 .*no training case "
        r"is censored; use --set training.balanced=false",
    ):
        plan([True] * 20)

    assert plan([True] * 20, settings={"training.balanced": "false"}).todo == 3
    assert plan([True] * 20, network=False).todo == 3


def test_few_events_that_choose_the_epoch_are_told_with_what_gives_more(plan):
    event = [number % 2 == 0 for number in range(50)]

    (told,) = plan(event).warnings

    assert re.match(
        r"the epoch is chosen on fewer than 5 events in 3 of 3 folds, too few to tell one epoch "
        r"from another; fewest in fold \d of repeat 0 \(training \d+ patients with \d+ events, "
        r"validation \d patients with [34] events, test \d+ patients with \d events\); for more, "
        r"use --",
        told,
    )
    assert plan(event, **followed(told)).warnings == ()
    assert plan(event, network=False).warnings == ()


def test_where_nothing_gives_more_events_no_setting_is_advised(plan):
    (told,) = plan([number % 2 == 0 for number in range(24)]).warnings

    assert told.endswith(
        "no smaller number of folds and no larger validation share is enough in this cohort"
    )


def test_a_cohort_of_usual_size_is_planned_without_a_word(plan):
    assert plan([number % 2 == 0 for number in range(150)]).warnings == ()


def test_test_folds_without_a_c_index_are_counted(plan):
    """Every event comes after the last censored patient, and all at one time."""
    event = [number % 2 == 0 for number in range(30)]

    (told,) = plan(event, [900.0 if one else 400.0 for one in event], network=False).warnings

    assert re.match(
        r"the C-index is undefined in 3 of 3 test folds, where no pair of patients can be "
        r"ordered; the first is fold 0 of repeat 0 \(.*test 10 patients with 5 events\); no ",
        told,
    )


def test_fewer_folds_that_give_every_test_fold_a_c_index_are_advised(plan):
    """One pair of events at other times: together in one of two folds, or one in each."""
    event = [True] * 8 + [False] * 22
    time = [900.0, 950.0, 960.0, 970.0] + [900.0] * 4 + [800.0] * 20 + [1000.0, 1000.0]

    told = [one for one in plan(event, time, network=False, folds=4).warnings if "C-index" in one]

    assert len(told) == 1
    again = plan(event, time, network=False, **{"folds": 4, **followed(told[0])})
    assert all(one.test.ordered for one in again.folds)


def test_one_event_is_written_in_the_singular(plan):
    planned = plan(SIX_OF_TWENTY, network=False)
    sizes = fold_sizes(planned.splits, planned.experiment.dataset.outcomes("pfs"))

    assert {str(one.validation).rpartition("with ")[2] for one in sizes} <= {"1 event", "2 events"}
