"""TensorBoard: a folder of event files for each trial."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from mtsbench.report.case_figures import draw_slices
from mtsbench.report.tables import title
from mtsbench.slices import read_slice
from mtsbench.stored_files import read_table
from mtsbench.trackers.names import all_scores, choices
from mtsbench.trial_files import PREDICTIONS, SLICES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from matplotlib.figure import Figure

    from mtsbench.comparison.summary import Summary
    from mtsbench.records import FailedTrial, RunDescription, TrialRecord

HELD = "finished-trial"
FLUSH_SECONDS = 10


class TensorBoard:
    """Writes FOLDER/RUN/TRIAL/events...: curves by epoch, scores, options, slices of patients.

    A trial that is done has a file `finished-trial` beside its events, with its key.

    Args:
        folder: What `tensorboard --logdir` is given.
        images: Whether slices of the best, the median and the worst patient are shown.
    """

    def __init__(self, folder: Path, *, images: bool) -> None:
        self.folder = folder
        self.images = images
        self._writers: dict[str, SummaryWriter] = {}

    def run_started(self, description: RunDescription) -> Collection[str]:
        """Keys of the trials whose folders say that they are finished."""
        self.close()
        self._choices = choices(description)
        self._title = title(description)
        self._run = self.folder / description.name
        return {path.read_text() for path in self._run.glob(f"*/{HELD}")}

    def epoch(self, trial: str, epoch: int, values: Mapping[str, float]) -> None:
        """Each value as `epoch/NAME` at the epoch's number."""
        for name, value in values.items():
            self._writer(trial).add_scalar(f"epoch/{name}", value, epoch)

    def trial_finished(self, trial: str, record: TrialRecord, folder: Path) -> None:
        """Scores as scalars or, if undefined, as text; options and scores for the HPARAMS page."""
        writer = self._writer(trial)
        scores = all_scores(record)
        defined = {name: one.value for name, one in scores.items() if one.value is not None}
        for name, value in defined.items():
            writer.add_scalar(name, value, 0)
        for name, one in scores.items():
            if one.reason is not None:
                writer.add_text(f"undefined/{name}", one.reason, 0)
        for phase, seconds in record.phase_seconds.items():
            writer.add_scalar(f"seconds/{phase}", seconds, 0)
        trial_choices = {"repeat": record.repeat, "fold": record.fold, "seed": record.seed}
        assert writer.file_writer is not None  # until it is closed
        for summary in hparams({**self._choices, **trial_choices}, defined):
            writer.file_writer.add_summary(summary)
        writer.add_text("files", f"`{folder.absolute()}`", 0)
        examples = _examples(folder) if self.images else None
        if examples is not None:
            label = "examples (SIMULATED)" if record.simulated else "examples"
            writer.add_figure(label, examples, 0)
        self._writers.pop(trial).close()
        (self._folder(trial) / HELD).write_text(record.key)

    def trial_failed(self, trial: str, failed: FailedTrial) -> None:
        """The error with its traceback, as text."""
        self._writer(trial).add_text("failed", f"```\n{failed.traceback}\n```", 0)
        self._writers.pop(trial).close()

    def run_finished(self, report: Path, summaries: Mapping[str, Summary]) -> None:
        """In the run's own folder: each score over the trials, and where the report lies."""
        _remove_events(self._run)
        with SummaryWriter(str(self._run)) as writer:
            for name, summary in summaries.items():
                if summary.mean is not None:
                    writer.add_scalar(f"mean/{name}", summary.mean, 0)
                writer.add_text(f"mean and SD/{name}", summary.text(), 0)
            writer.add_text("data", self._title, 0)
            writer.add_text("report", f"`{report.absolute()}`", 0)

    def close(self) -> None:
        """Write out what trials under way have said."""
        while self._writers:
            self._writers.popitem()[1].close()

    def _writer(self, trial: str) -> SummaryWriter:
        if trial not in self._writers:
            folder = self._folder(trial)
            (folder / HELD).unlink(missing_ok=True)
            _remove_events(folder)
            self._writers[trial] = SummaryWriter(str(folder), flush_secs=FLUSH_SECONDS)
        return self._writers[trial]

    def _folder(self, trial: str) -> Path:
        return self._run / trial.replace(" ", "-")


def _remove_events(folder: Path) -> None:
    """TensorBoard would join the events of an earlier attempt to those of this one."""
    for path in folder.glob("events.out.tfevents.*"):
        path.unlink()


def _examples(folder: Path) -> Figure | None:
    """Slices of the patients with the best, the median and the worst Dice; None without masks."""
    table = read_table(folder / PREDICTIONS, ("case_id",))
    if "dice" not in table.columns:
        return None
    ranked = table.dropna(subset=["dice"]).sort_values("dice", ascending=False, kind="stable")
    last, shown = len(ranked) - 1, []
    places = {last // 2: "median", last: "worst", 0: "best"} if last >= 0 else {}
    for row, place in sorted(places.items()):
        case_id, dice = ranked.iloc[row][["case_id", "dice"]]
        one = read_slice(folder / SLICES, case_id)
        if one is not None and one.images:
            shown.append((f"{place}\n{case_id}\nDice {dice:.2f}", one))
    return draw_slices(shown) if shown else None
