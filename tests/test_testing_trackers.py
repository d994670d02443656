"""One broken tracker for each check, and the check that names its fault."""

from __future__ import annotations

import pytest

from mtsbench.errors import MissingPackageError
from mtsbench.testing import BrokenPromise, TrackerContract


class Right:
    """Keeps a file for each finished trial; what is under way is kept in memory."""

    def __init__(self, runs):
        self.runs = runs
        self.open = {}

    def run_started(self, description):
        self.folder = self.runs / description.name
        self.folder.mkdir(parents=True, exist_ok=True)
        return [path.name for path in self.folder.iterdir()]

    def epoch(self, trial, epoch, values):
        self.open.setdefault(trial, []).append((epoch, dict(values)))

    def trial_finished(self, trial, record, folder):
        (self.folder / record.key).touch()
        self.open.pop(trial, None)

    def trial_failed(self, trial, failed):
        self.open.pop(trial, None)

    def run_finished(self, report, summaries):
        assert report.is_file()

    def close(self):
        self.open.clear()


class OneTrialAtATime(Right):
    def epoch(self, trial, epoch, values):
        super().epoch(trial, epoch, values)
        assert len(self.open) == 1


class WantsNumbers(Right):
    def trial_finished(self, trial, record, folder):
        assert all(score.value > 0 for score in record.scores.values())
        super().trial_finished(trial, record, folder)


class WantsFiniteValues(Right):
    def epoch(self, trial, epoch, values):
        [round(value) for value in values.values()]


class WantsMeans(Right):
    def run_finished(self, report, summaries):
        [round(one.mean, 3) for one in summaries.values()]


class Forgets(Right):
    def run_started(self, description):
        super().run_started(description)
        return ()


class HoldsFailures(Right):
    def trial_failed(self, trial, failed):
        (self.folder / failed.key).touch()


class FailsForGood(Right):
    """A trial that failed once is never finished."""

    def trial_failed(self, trial, failed):
        (self.folder.parent / f"failed-{failed.key}").touch()

    def trial_finished(self, trial, record, folder):
        if not (self.folder.parent / f"failed-{record.key}").exists():
            super().trial_finished(trial, record, folder)


class FinishesOnce(Right):
    def run_finished(self, report, summaries):
        (self.folder.parent / f"{self.folder.name}-done").touch(exist_ok=False)


class MixesRuns(Right):
    def run_started(self, description):
        self.folder = self.runs / "all"
        self.folder.mkdir(parents=True, exist_ok=True)
        return {path.name for path in self.folder.iterdir()}


class ClosesWhatItOpened(Right):
    def close(self):
        self.folder.touch()


class Draws(Right):
    def epoch(self, trial, epoch, values):
        import torch

        torch.rand(1)


class MovesFiles(Right):
    def trial_finished(self, trial, record, folder):
        super().trial_finished(trial, record, folder)
        (folder / "log.jsonl").rename(folder / "logged.jsonl")


FAULTS = [
    ("a_run_is_followed_to_its_end", OneTrialAtATime, "epoch raised AssertionError"),
    ("what_is_undefined_is_taken", WantsNumbers, "trial_finished raised TypeError"),
    ("what_is_undefined_is_taken", WantsFiniteValues, "epoch raised ValueError"),
    ("what_is_undefined_is_taken", WantsMeans, "run_finished raised TypeError"),
    (
        "a_run_that_goes_on_knows_its_finished_trials",
        Forgets,
        r"gives 0 keys, 1 trials .*lacking: repeat 0 fold 0 seed 0",
    ),
    (
        "a_run_that_goes_on_knows_its_finished_trials",
        HoldsFailures,
        r"gives 2 keys, 1 trials .*not finished: repeat 0 fold 2 seed 0",
    ),
    (
        "a_trial_that_failed_may_be_done_again",
        FailsForGood,
        r"gives 1 keys, 2 trials .*lacking: repeat 0 fold 0 seed 0",
    ),
    (
        "a_run_that_was_finished_may_be_asked_for_again",
        FinishesOnce,
        "run_finished raised FileExistsError",
    ),
    ("one_run_may_follow_another", MixesRuns, r"gives 1 keys, 0 trials of this run"),
    ("it_may_be_closed_at_any_time", ClosesWhatItOpened, "close raised AttributeError"),
    ("no_random_number_is_drawn", Draws, r"the state of \['torch'\] has changed"),
    (
        "the_files_of_a_trial_are_left_alone",
        MovesFiles,
        r"trial_finished changed \['log.jsonl', 'logged.jsonl'\]",
    ),
]


@pytest.mark.parametrize(("check", "fault", "message"), FAULTS)
def test_the_check_catches_the_fault(contract_of, check, fault, message):
    contract = contract_of(TrackerContract, lambda runs: fault(runs))

    with pytest.raises(BrokenPromise, match=message):
        getattr(contract(), f"test_{check}")()


def test_a_right_tracker_keeps_every_promise(contract_of, verdicts):
    found = verdicts(contract_of(TrackerContract, lambda runs: Right(runs)))

    assert {status for status, _ in found.values()} == {"kept"}


def test_a_tracker_whose_package_is_missing_cannot_be_checked(contract_of, verdicts):
    def build(runs):
        raise MissingPackageError("tracker 'mine' needs a package that is not installed")

    found = verdicts(contract_of(TrackerContract, build))

    assert set(found.values()) == {
        ("not applicable", "tracker 'mine' needs a package that is not installed")
    }
