"""Trackers beside a run: built before it, told what happens, left out once they raise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self, cast

from mtsbench.errors import OptionError, one_line
from mtsbench.events import trial_label
from mtsbench.records import TrialRecord
from mtsbench.trial_files import read_log

if TYPE_CHECKING:
    from pathlib import Path

    from mtsbench.comparison.summary import Summary
    from mtsbench.events import TrialEvent
    from mtsbench.interfaces import Tracker
    from mtsbench.plugins import Components
    from mtsbench.store import RunStore

NAMESPACE = "tracker"


class Trackers:
    """Trackers of the runs of one command. One that raises is left out, and the runs go on.

    Args:
        trackers: By name.
        warn: Takes a line for the user.
    """

    def __init__(
        self,
        trackers: Mapping[str, Tracker] | None = None,
        warn: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._trackers = dict(trackers or {})
        self._warn = warn
        self._failed: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *cause: object) -> None:
        self.close()

    def run_started(self, store: RunStore) -> None:
        """Announce the run, with what it had finished before and a tracker does not hold yet."""
        self._store = store
        description, records = store.description(), store.records()
        for name, tracker in self._working():
            with self._guarded(name):
                held = tracker.run_started(description)
                for record in records:
                    if record.key not in held:
                        self._catch_up(tracker, record)

    def beside(self, show: Callable[[TrialEvent], None]) -> Callable[[TrialEvent], None]:
        """A function that passes an event on to `show` and to the trackers."""

        def report(event: TrialEvent) -> None:
            show(event)
            if event.message is not None:
                return  # of an executor, for the user
            for name, tracker in self._working():
                with self._guarded(name):
                    self._tell(tracker, event)

        return report

    def run_finished(self, report: Path, summaries: Mapping[str, Summary]) -> None:
        """Every trial has ended: the run's page, and each score over its trials."""
        for name, tracker in self._working():
            with self._guarded(name):
                tracker.run_finished(report, summaries)

    def close(self) -> None:
        """Close all, and say which of them missed a part of the run."""
        for name, tracker in self._trackers.items():
            with suppress(Exception) if name in self._failed else self._guarded(name):
                tracker.close()
        for name in self._failed:
            self._warn(
                f"tracker {name!r} misses what came after; no result is lost, and the same command "
                "adds the finished trials that it lacks"
            )

    def _working(self) -> Iterator[tuple[str, Tracker]]:
        return ((name, one) for name, one in self._trackers.items() if name not in self._failed)

    @contextmanager
    def _guarded(self, name: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._failed.append(name)
            self._warn(f"tracker {name!r} is switched off, the run goes on: {one_line(error)}")

    def _tell(self, tracker: Tracker, event: TrialEvent) -> None:
        if isinstance(event.outcome, TrialRecord):
            folder = self._store.trial_folder(event.outcome)
            tracker.trial_finished(event.trial, event.outcome, folder)
        elif event.outcome is not None:
            tracker.trial_failed(event.trial, event.outcome)
        elif event.done:
            tracker.epoch(event.trial, event.done - 1, event.values)

    def _catch_up(self, tracker: Tracker, record: TrialRecord) -> None:
        trial = trial_label(record.repeat, record.fold, record.seed)
        folder = self._store.trial_folder(record)
        for epoch, values in read_log(folder):
            tracker.epoch(trial, epoch, values)
        tracker.trial_finished(trial, record, folder)


def build_trackers(
    components: Components,
    names: Sequence[str],
    settings: Mapping[str, str],
    runs: Path,
    warn: Callable[[str], None],
) -> Trackers:
    """The trackers that a run was asked for.

    Args:
        components: Where they are looked up.
        names: As `--track` gives them.
        settings: NAME.OPTION to value.
        runs: Folder of all runs.
        warn: Takes a line for the user while the run goes on.

    Raises:
        OptionError: An option does not exist, does not fit, or is of a tracker not asked for.
        MissingPackageError: A tracker's package is not installed.
        UnknownComponentError, PluginConflictError, PluginError: See `Components.build`.
    """
    built = {
        name: cast("Tracker", components.build("tracker", name, runs, options=given))
        for name, given in _by_tracker(names, settings).items()
    }
    return Trackers(built, warn)


def check_trackers(
    components: Components, names: Sequence[str], settings: Mapping[str, str]
) -> None:
    """Refuse what `build_trackers` would refuse, as far as that can be told without building."""
    for name, given in _by_tracker(names, settings).items():
        components.options("tracker", name, given)


def _by_tracker(names: Sequence[str], settings: Mapping[str, str]) -> dict[str, dict[str, str]]:
    options: dict[str, dict[str, str]] = {name: {} for name in names}
    for key, value in settings.items():
        name, _, option = key.partition(".")
        if name not in options:
            raise OptionError(
                f"setting '{NAMESPACE}.{key}' is of a tracker that is not used; "
                f"add --track {name}, or write {NAMESPACE}.NAME.OPTION=VALUE"
            )
        options[name][option] = value
    return options
