"""The schema of a benchmark record: one file per machine and day."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Annotated, Literal

import pydantic
from pydantic import Field

from mtsbench.errors import DataError

SCHEMA_VERSION: Literal[1] = 1
NOT_REACHED = "not reached: the benchmark was ended before"
Share = Annotated[float, Field(ge=0, le=1)]


class _Stored(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Protocol(_Stored):
    """How often each item is repeated.

    Attributes:
        warm_up: Repetitions that are not timed.
        steps: Repetitions that are timed one by one.
    """

    warm_up: Annotated[int, Field(ge=0)] = 10
    steps: Annotated[int, Field(ge=1)] = 70


class Measurement(_Stored):
    """What an item found.

    Attributes:
        median: Seconds of one repetition.
        spread: Interquartile range of the repetitions, seconds.
        details: Further figures by name, with the unit in it: `cases_per_second`, `memory_mib`, ...
    """

    median: Annotated[float, Field(gt=0)]
    spread: Annotated[float, Field(ge=0)]
    details: dict[str, float] = {}


class ItemResult(_Stored):
    """One item of the benchmark, measured or not.

    Attributes:
        name: Holds the size, so that figures of two sizes are never taken for one another.
        what: What one repetition does.
        data: What it is done to, and whether it is simulated or random.
        device: Where it is computed, cpu or cuda.
        found: None if the item could not be measured.
        reason: Why not; None if it was.
        others: Share of the machine's processors that other programs used meanwhile; None where
            the system does not tell.
    """

    name: str
    what: str
    data: str
    device: Literal["cpu", "cuda"]
    found: Measurement | None = None
    reason: str | None = None
    others: Share | None = None

    @pydantic.model_validator(mode="after")
    def _found_or_reason(self) -> ItemResult:
        if (self.found is None) == (self.reason is None):
            raise ValueError("an item has either a measurement or a reason, got both or neither")
        return self


class Machine(_Stored):
    """The machine, without a name that tells whose it is.

    Attributes:
        device: The CUDA device's name, or `cpu`.
        device_memory_gib: Of the CUDA device; None without one.
    """

    device: str
    device_memory_gib: float | None = None
    processor: str
    cores: int
    memory_gib: float | None = None


class BenchmarkRecord(_Stored):
    """What `mtsbench benchmark` found on one machine on one day.

    Attributes:
        versions: Python, system, threads, torch, CUDA, mtsbench, its plugins.
        git: Commit of the checkout, `+changes` if edited; None if installed.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    date: datetime.date
    machine: Machine
    versions: dict[str, str]
    git: str | None
    protocol: Protocol
    items: tuple[ItemResult, ...]

    def file_name(self) -> str:
        """One per machine and day, e.g. `nvidia-h100-80gb-hbm3-2026-11-25.json`."""
        machine = self.machine
        name = machine.device
        if name == "cpu":
            name = f"{machine.processor} {machine.cores} cores"
        name = re.sub(r"\((r|tm|c)\)", "", name.lower())
        words = re.sub(r"[^a-z0-9]+", "-", name).strip("-")
        return f"{words}-{self.date.isoformat()}.json"

    def circumstances(self) -> dict[str, object]:
        """All that must agree before two runs may share a record, as plain values."""
        return self.model_dump(mode="json", exclude={"items"})


def read_record(path: Path) -> BenchmarkRecord:
    """A stored record.

    Raises:
        DataError: The file cannot be read or is no record of this schema.
    """
    try:
        return BenchmarkRecord.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}; check the path") from error
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise DataError(
            f"{path} is no benchmark record of schema {SCHEMA_VERSION} ({where}: {first['msg']}); "
            "remove it or measure again"
        ) from error


def write_record(record: BenchmarkRecord, folder: Path) -> Path:
    """Put a record into a folder, in place of one of the same machine and day."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / record.file_name()
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(record.model_dump_json(indent=1) + "\n")
    partial.replace(path)
    return path
