"""The folder of all runs: what lies in it, in which state, and what may be removed."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mtsbench.errors import DataError, OptionError, one_line
from mtsbench.options import did_you_mean
from mtsbench.records import DESCRIPTION, RECORD

if TYPE_CHECKING:
    from mtsbench.comparison.comparable import FinishedRun


@dataclass(frozen=True, kw_only=True)
class RunFolder:
    """A run on disk.

    Attributes:
        run: None where the files are damaged.
        fault: What is damaged.
        changed: When a trial was last finished, or else the run begun; seconds since 1970.
        bytes: Of all its files.
    """

    folder: Path
    run: FinishedRun | None
    fault: str | None
    changed: float
    bytes: int

    @property
    def missing(self) -> int:
        """Trials that neither finished nor failed."""
        if self.run is None:
            return 0
        return self.run.description.trials - len(self.run.records) - len(self.run.failures)

    @property
    def state(self) -> str:
        """`finished`, `unfinished`, `failed` (all were tried, one crashed) or `damaged`."""
        if self.run is None:
            return "damaged"
        if self.missing:
            return "unfinished"
        return "failed" if self.run.failures else "finished"


def find_runs(out: Path) -> list[Path]:
    """Folders of the runs in `out`, by name; none where `out` does not exist."""
    return sorted(path.parent for path in out.glob(f"*/{DESCRIPTION}"))


def find_run(out: Path, name: str) -> Path:
    """The folder of the run of this name in `out`.

    Raises:
        OptionError: The name is a path.
        DataError: There is no such run.
    """
    if name in ("", ".", "..") or Path(name).name != name or "\\" in name:
        raise OptionError(
            f"{name!r} is no name of a run; name it as `mtsbench runs list` does, and its folder "
            "with --out"
        )
    folder = out / name
    if not folder.is_dir():
        names = [path.name for path in find_runs(out)]
        raise DataError(
            f"no run in {out} is called {name!r}.{did_you_mean(name, names)} "
            "`mtsbench runs list` names them."
        )
    if not (folder / DESCRIPTION).is_file():
        raise DataError(f"{folder} is not the folder of a run: it has no {DESCRIPTION}")
    return folder


def read_folder(folder: Path) -> RunFolder:
    """State and size of a run; what is damaged is told and raises nothing."""
    # Here, because completion only asks for names and must be quick.
    from mtsbench.comparison.comparable import read_run
    from mtsbench.store import RunStore

    run, fault = None, None
    try:
        store = RunStore(folder)
        store.check()
        run = read_run(store)
    except (DataError, OSError) as error:
        fault = one_line(error)
    marks = [folder / DESCRIPTION, *folder.glob(f"trials/[!.]*/{RECORD}")]
    return RunFolder(
        folder=folder,
        run=run,
        fault=fault,
        changed=max(path.stat().st_mtime for path in marks),
        bytes=_bytes(folder),
    )


def check_removable(folder: Path) -> None:
    """Refuse what may lie elsewhere, what another program may have written, and what is in use.

    Raises:
        DataError: The folder is a link, its `run.json` is one or does not describe a run, or a
            process is carrying out the run.
    """
    from mtsbench.run_lock import check_free
    from mtsbench.stored_files import check_description

    for path in (folder, folder / DESCRIPTION):
        if path.is_symlink():
            raise DataError(
                f"{path} is a link to {path.readlink()}, and nothing behind a link is removed; "
                "remove the link yourself"
            )
    try:
        check_description(folder)
    except DataError as error:
        raise DataError(
            f"{folder} may hold something other than a run and is left alone ({error}); look at it "
            "and remove it yourself"
        ) from error
    check_free(folder)


def remove_run(folder: Path) -> None:
    """Delete the folder of a run; what links in it lead to stays.

    The description goes last: a removal that was cut off can be repeated.
    """
    for path in folder.iterdir():
        if path.name == DESCRIPTION:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    shutil.rmtree(folder)


def _bytes(folder: Path) -> int:
    return sum(
        os.lstat(os.path.join(parent, name)).st_size
        for parent, _, names in os.walk(folder)
        for name in names
    )
