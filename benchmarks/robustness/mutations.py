"""Run folders that were damaged or edited: does any number change in silence?

    python benchmarks/robustness/mutations.py

Two models are run on a table of patients. The folder of one is then changed in one of the ways of
`changes.py`, as the seed draws them: bits flipped, files cut off, scores edited, trials copied.
After each change `mtsbench compare --json` must tell the numbers of the untouched runs or refuse
with a message that names a file or a trial, `mtsbench runs list --json` must tell the same scores
or call the run damaged or unfinished, and the same `mtsbench run` command must either make the run
complete and right again or refuse and say why.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from changes import CHANGES

from mtsbench.cli import app
from mtsbench.errors import MtsbenchError
from mtsbench.store import RunStore

COMMON = ("--dataset=veteran", "--preset=demo", "--device=cpu", "--folds=2", "--workers=1")
CHANGED, OTHER = "clinical-cox", "km"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What followed a change.

    Attributes:
        compared: `same`, `refused`, or `SILENT` where numbers changed and nothing was said.
        listed: `same`, `told` or `SILENT`.
        again: `right` where the same command made the run right, `refused`, or `WRONG`.
        said: What was said.
    """

    change: str
    compared: str
    listed: str
    again: str
    said: str

    @property
    def good(self) -> bool:
        """Whether nothing went wrong in silence."""
        return not {"SILENT", "WRONG"} & {self.compared, self.listed, self.again}


def call(*arguments: str) -> tuple[str, str]:
    """Output and complaint of a command; the complaint is empty where there is none."""
    out, said = io.StringIO(), ""
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        try:
            app(args=list(arguments), prog_name="mtsbench", standalone_mode=False)
        except MtsbenchError as error:
            said = str(error)
    return out.getvalue(), said


class Bench:
    """The untouched runs, what is told of them, and a copy to change.

    Args:
        folder: Empty.
    """

    def __init__(self, folder: Path) -> None:
        self.pristine, self.out, self.cache = folder / "pristine", folder / "runs", folder / "cache"
        for model in (CHANGED, OTHER):
            self.run(model, self.pristine)
        self.name = next(self.pristine.glob(f"*-{CHANGED}-*")).name
        self.other = next(self.pristine.glob(f"*-{OTHER}-*")).name
        self.run_folder = self.out / self.name
        self.reset()
        self.compared, self.listed = self.compare()[0], self.scores()
        self.trials = [record.scores for record in RunStore(self.run_folder).records()]

    def reset(self) -> None:
        """Bring the untouched runs back."""
        shutil.rmtree(self.out, ignore_errors=True)
        shutil.copytree(self.pristine, self.out)

    def run(self, model: str, out: Path) -> tuple[str, str]:
        """The command that makes a run."""
        places = (f"--out={out}", f"--cache={self.cache}", "--json")
        return call("run", f"--model={model}", *COMMON, *places)

    def compare(self) -> tuple[str, str]:
        """What is told of both runs, with all its numbers."""
        folders = (str(self.run_folder), str(self.out / self.other))
        return call("compare", *folders, f"--reference={OTHER}", "--json")

    def scores(self) -> object:
        """What the list of runs tells of the changed run; None where it is not complete."""
        runs = json.loads(call("runs", "list", f"--out={self.out}", "--json")[0])
        for one in runs:
            if one["run"] == self.name and one["state"] == "finished":
                return one["scores"], one["done"], one["trials"]
        return None

    def judge(self, change: str) -> Verdict:
        """What follows the change that was made."""
        told, said = self.compare()
        listed = self.scores()
        again, complaint = self.run(CHANGED, self.out)
        return Verdict(
            change=change,
            compared="refused" if said else "same" if told == self.compared else "SILENT",
            listed="told" if listed is None else "same" if listed == self.listed else "SILENT",
            again="refused" if complaint else "right" if self._is_right(again) else "WRONG",
            said=said or complaint,
        )

    def _is_right(self, told: str) -> bool:
        store = RunStore(self.run_folder)
        try:
            store.check()
        except MtsbenchError:
            return False
        found = [record.scores for record in store.records()]
        shown = [trial["scores"] for trial in json.loads(told)["trials"]]
        plain = [
            {name: score.model_dump() for name, score in scores.items()} for scores in self.trials
        ]
        return (
            found == self.trials
            and shown == plain
            and self.compare()[0] == self.compared
            and self.scores() == self.listed
        )


def main() -> None:
    """Change, judge, and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=470, help="changed folders")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--verbose", action="store_true", help="print every verdict")
    arguments = parser.parse_args()
    verdicts = list[Verdict]()
    with tempfile.TemporaryDirectory() as temporary:
        bench = Bench(Path(temporary))
        for number in range(arguments.count):
            bench.reset()
            draw = random.Random(f"{arguments.seed} {number}")
            change = CHANGES[number % len(CHANGES)]
            done = f"{change.__name__}: {change(bench.run_folder, draw)}"
            verdicts.append(verdict := bench.judge(done))
            if arguments.verbose or not verdict.good:
                print(verdict, file=sys.stderr, flush=True)
    for what in ("compared", "listed", "again"):
        counts = Counter(str(getattr(one, what)) for one in verdicts)
        print(what, dict(sorted(counts.items())))
    wrong = sum(not one.good for one in verdicts)
    print(f"{len(verdicts)} changed run folders, {wrong} with a number changed in silence")
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
