"""Identical commands started at once: does each leave one complete run with the right numbers?

    python benchmarks/robustness/races.py

One process loads mtsbench and is then copied (`fork`), so that the copies start within a few
milliseconds of each other; each is an `mtsbench run --json` of its own. In every race all commands
must end with code 0 and the same scores as a run that was alone, and one complete and undamaged run
must lie on disk, byte for byte with the predictions of the run that was alone. With `--kill` one
of the commands, drawn by the seed, is killed (SIGKILL) at a drawn moment, and the others must still
do so. With `--no-lock` no command waits for another, and all rests on trials being put in place
whole.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.synchronize import Barrier

COMMANDS = {
    "table": ("--model=clinical-cox", "--dataset=veteran", "--folds=3"),
    "network": (
        *("--model=deepconvsurv", "--dataset=npc", "--folds=2", "--set=dataset.cases=12"),
        *("--set=training.epochs=1", "--set=training.steps_per_epoch=2"),
        "--set=training.batch_size=2",
    ),
    "jobs": ("--model=clinical-cox", "--dataset=veteran", "--folds=2", "--jobs=2"),
}
COMMON = ("--preset=demo", "--device=cpu", "--workers=1", "--json")
SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class Race:
    """How one race was run.

    Attributes:
        killed: After how many seconds one of the commands was killed.
    """

    command: str
    processes: int
    lock: bool
    killed: float | None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a race left.

    Attributes:
        faults: What is not as it should be; none is right.
    """

    race: Race
    seconds: float
    faults: tuple[str, ...]


def race(one: Race, victim: int, alone: Path, folder: Path) -> Outcome:
    """Run identical commands at once and look at what they leave.

    Args:
        one: What to do.
        victim: Which command is killed, where one is.
        alone: Folder of the same run without a race.
        folder: Empty.
    """
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(one.processes + 1)
    started = [
        context.Process(target=_command, args=(one, folder, number, barrier))
        for number in range(one.processes)
    ]
    for process in started:
        process.start()
    barrier.wait()
    start = time.monotonic()
    if one.killed is not None:
        time.sleep(one.killed)
        assert started[victim].pid is not None
        os.kill(started[victim].pid, signal.SIGKILL)
    for process in started:
        process.join(max(0.1, SECONDS - (time.monotonic() - start)))
    hanging = [number for number, process in enumerate(started) if process.is_alive()]
    for number in hanging:
        started[number].kill()
    faults = [f"command {number} hangs" for number in hanging]
    whole = [n for n in range(one.processes) if one.killed is None or n != victim]
    for number in whole:
        if started[number].exitcode != 0:
            faults.append(f"command {number} ended with {started[number].exitcode}")
        elif _scores(folder / f"{number}.out") != _scores(alone / "0.out"):
            faults.append(f"command {number} tells other scores")
    faults += _faults(folder, alone, partial=one.killed is not None)
    return Outcome(race=one, seconds=round(time.monotonic() - start, 2), faults=tuple(faults))


def run_alone(command: str, folder: Path) -> None:
    """The same run without a race, for comparison."""
    only = Race(command=command, processes=1, lock=True, killed=None)
    context = multiprocessing.get_context("fork")
    process = context.Process(target=_command, args=(only, folder, 0, context.Barrier(1)))
    process.start()
    process.join(SECONDS)
    if process.exitcode != 0:
        raise SystemExit(f"the run alone failed: {(folder / '0.err').read_text()}")


def _command(one: Race, folder: Path, number: int, barrier: Barrier) -> None:
    from mtsbench import carry_out
    from mtsbench.cli import app, run_application

    for name, descriptor in (("out", 1), ("err", 2)):
        file = os.open(folder / f"{number}.{name}", os.O_WRONLY | os.O_CREAT)
        os.dup2(file, descriptor)
    if not one.lock:
        carry_out.hold = _not_held  # type: ignore[assignment]
    places = (f"--out={folder / 'runs'}", f"--cache={folder / 'cache'}")
    barrier.wait()
    run_application(app, ["run", *COMMANDS[one.command], *COMMON, *places])


@contextmanager
def _not_held(folder: Path, tell: object) -> Iterator[None]:
    yield


def _scores(path: Path) -> object:
    try:
        return [(trial["key"], trial["scores"]) for trial in json.loads(path.read_text())["trials"]]
    except ValueError:
        return path.read_text()


def _faults(folder: Path, alone: Path, *, partial: bool) -> list[str]:
    """What is wrong on disk.

    Args:
        folder: Of the race.
        alone: Of the run without one.
        partial: Whether a killed process may have left what it was writing.
    """
    from mtsbench.errors import MtsbenchError
    from mtsbench.store import RunStore

    runs, expected = list((folder / "runs").iterdir()), list((alone / "runs").iterdir())
    if [one.name for one in runs] != [one.name for one in expected]:
        return [f"the runs are {runs}"]
    store, right = RunStore(runs[0]), RunStore(expected[0])
    try:
        store.check()
    except MtsbenchError as error:
        return [str(error)]
    faults = []
    if [r.scores for r in store.records()] != [r.scores for r in right.records()]:
        faults.append("the stored scores are others")
    for one, same in zip(store.records(), right.records(), strict=False):
        for name in ("predictions.parquet", "training_risk.parquet"):
            paths = [s.trial_folder(r) / name for s, r in ((store, one), (right, same))]
            if paths[0].read_bytes() != paths[1].read_bytes():
                faults.append(f"{paths[0]} differs")
    if store.failures():
        faults.append("a failed trial was left")
    left = [path.name for path in runs[0].iterdir() if path.name in ("damaged", ".holder.json")]
    if not partial:
        left += [path.name for path in runs[0].rglob("*.partial")]
    return faults + [f"{name} was left" for name in left]


def main() -> None:
    """Run the races and print what they left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--races", type=int, default=50, help="of each number of commands")
    parser.add_argument("--processes", default="2,3", help="commands at once, e.g. 2,3")
    parser.add_argument("--command", choices=COMMANDS, default="table")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kill", action="store_true", help="kill one command of each race")
    parser.add_argument("--no-lock", action="store_true", help="let no command wait")
    arguments = parser.parse_args()
    _load()
    draw, outcomes = random.Random(arguments.seed), list[Outcome]()
    with tempfile.TemporaryDirectory() as temporary:
        (alone := Path(temporary) / "alone").mkdir()
        start = time.monotonic()
        run_alone(arguments.command, alone)
        usual = time.monotonic() - start
        for processes in map(int, arguments.processes.split(",")):
            for number in range(arguments.races):
                one = Race(
                    command=arguments.command,
                    processes=processes,
                    lock=not arguments.no_lock,
                    killed=round(draw.uniform(0, usual), 3) if arguments.kill else None,
                )
                (folder := Path(temporary) / f"{processes}-{number}").mkdir()
                victim = draw.randrange(processes)
                outcomes.append(race(one, victim, alone, folder))
                if outcomes[-1].faults:
                    print(json.dumps(asdict(outcomes[-1])), file=sys.stderr)
    wrong = [one for one in outcomes if one.faults]
    seconds = sum(one.seconds for one in outcomes) / max(1, len(outcomes))
    print(
        f"{len(outcomes)} races of {arguments.processes} commands ({arguments.command}"
        f"{', one killed' if arguments.kill else ''}{', no lock' if arguments.no_lock else ''}): "
        f"{len(outcomes) - len(wrong)} with one complete run and the right numbers, "
        f"{seconds:.1f} s each"
    )
    raise SystemExit(1 if wrong else 0)


def _load() -> None:
    """Load what every command needs, once."""
    import torch

    torch.set_num_threads(1)
    import mtsbench.carry_out
    import mtsbench.commands.carried_out
    import mtsbench.plan
    import mtsbench.report.run_page  # noqa: F401
    from mtsbench.plugins import load_components

    load_components()


if __name__ == "__main__":
    main()
