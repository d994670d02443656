"""The experiment file: models, datasets and protocol in TOML, and the runs it asks for.

Every model meets every dataset. A run of the file is the very run that `mtsbench run --model M
--dataset D` would make with the same choices: same key, same folder.
"""

from __future__ import annotations

import tomllib
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pydantic
from pydantic import BeforeValidator, Field

from mtsbench.errors import OptionError
from mtsbench.experiment import Request
from mtsbench.options import did_you_mean, format_value
from mtsbench.parts import ROLES

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

ADVICE = "see `mtsbench run --help`; to run one model: --model NAME --dataset NAME"


def _settings(found: object) -> object:
    """Values of TOML as the text that `--set` takes, so that both ways are checked alike.

    A table in the table is that of a part: `head = { risk = "rmst" }` is `head.risk`.
    """
    if not isinstance(found, dict):
        raise ValueError(f"must be a table like {{ epochs = 20 }}, got {found!r}")
    flat: dict[str, object] = {}
    for name, value in found.items():
        of_part = value if isinstance(value, dict) else {}
        flat |= {f"{name}.{option}": one for option, one in of_part.items()} or {name: value}
    return {name: _text(name, value) for name, value in flat.items()}


def _text(name: str, value: object) -> str:
    role, dot, _ = name.partition(".")
    if dot and role not in ROLES:
        raise ValueError(f"{role!r} has no options here; only parts have: {', '.join(ROLES)}")
    items = value if isinstance(value, list) else [value]
    flat = [one for item in items for one in (item if isinstance(item, list) else [item])]
    for one in flat:
        if not isinstance(one, bool | int | float | str):
            raise ValueError(
                f"{name!r} must be a boolean, a number, a text or a list of these, got {one!r}"
            )
        if isinstance(value, list) and isinstance(one, str) and "," in one:
            raise ValueError(f"{name!r} is a list, so {one!r} may not hold a comma")
    return format_value(value)


def _named(found: object) -> object:
    """`"km"` is short for `{ name = "km" }`."""
    return {"name": found} if isinstance(found, str) else found


Settings = Annotated[dict[str, str], BeforeValidator(_settings)]


class _Table(pydantic.BaseModel):
    """Every field's description says what its value must be."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)


class DatasetEntry(_Table):
    """One `[[datasets]]`; a cohort with two endpoints is two entries."""

    name: Annotated[str, Field(description="a name from `mtsbench list datasets`")]
    data_root: Annotated[
        str | None, Field(description="a folder, relative to the experiment file")
    ] = None
    endpoint: Annotated[str | None, Field(description="one endpoint, like 'pfs'")] = None
    options: Annotated[Settings, Field(description="a table of the dataset's options")] = {}


class ModelEntry(_Table):
    """One `[[models]]`; a model with two settings is two entries."""

    name: Annotated[str, Field(description="a name from `mtsbench list models`")]
    options: Annotated[Settings, Field(description="a table of the model's options")] = {}
    training: Annotated[Settings, Field(description="a table of training settings")] = {}
    preprocessing: Annotated[Settings, Field(description="a table of preprocessing settings")] = {}


class TrackerEntry(_Table):
    """One `[[trackers]]`."""

    name: Annotated[str, Field(description="a name from `mtsbench list trackers`")]
    options: Annotated[Settings, Field(description="a table of the tracker's options")] = {}


class ExecutorTable(_Table):
    """`[executor]`."""

    name: Annotated[str, Field(description="a name from `mtsbench list executors`")]
    options: Annotated[Settings, Field(description="a table of the executor's options")] = {}


class ProtocolTable(_Table):
    """`[protocol]`; what is left out has the preset's default."""

    folds: Annotated[int | None, Field(ge=2, description="a whole number >= 2")] = None
    repeats: Annotated[int | None, Field(ge=1, description="a whole number >= 1")] = None
    validation_share: Annotated[
        float | None, Field(gt=0, le=0.5, description="a number above 0 and at most 0.5")
    ] = None
    seeds: Annotated[
        list[int] | None, Field(min_length=1, description="a list of whole numbers, like [0, 1]")
    ] = None


class ExperimentFile(_Table):
    """What the file says.

    Attributes:
        out: Relative to the file; None leaves the choice to the command line.
    """

    datasets: Annotated[
        list[Annotated[DatasetEntry, BeforeValidator(_named)]],
        Field(min_length=1, description="a list of names or [[datasets]] tables"),
    ]
    models: Annotated[
        list[Annotated[ModelEntry, BeforeValidator(_named)]],
        Field(min_length=1, description="a list of names or [[models]] tables"),
    ]
    trackers: Annotated[
        list[Annotated[TrackerEntry, BeforeValidator(_named)]],
        Field(description="a list of names or [[trackers]] tables"),
    ] = []
    protocol: Annotated[ProtocolTable, Field(description="a table")] = ProtocolTable()
    preset: Annotated[str, Field(description="'auto', 'demo', 'standard' or 'paper'")] = "auto"
    device: Annotated[str, Field(description="'auto', 'cpu' or 'cuda[:N]'")] = "auto"
    jobs: Annotated[int, Field(ge=1, description="a whole number >= 1")] = 1
    executor: Annotated[
        Annotated[ExecutorTable, BeforeValidator(_named)] | None,
        Field(description="a name or an [executor] table"),
    ] = None
    save_masks: Annotated[bool, Field(description="true or false")] = False
    out: Annotated[str | None, Field(description="a folder, relative to the file")] = None

    def requests(self, path: Path) -> tuple[Request, ...]:
        """One request for each pair, dataset by dataset, in the order of the file.

        Args:
            path: Of the file; folders are relative to the one it lies in.
        """
        return tuple(
            Request(
                model=model.name,
                dataset=dataset.name,
                data_root=None if dataset.data_root is None else below(path, dataset.data_root),
                endpoint=dataset.endpoint,
                preset=self.preset,
                folds=self.protocol.folds,
                repeats=self.protocol.repeats,
                validation_share=self.protocol.validation_share,
                seeds=None if self.protocol.seeds is None else tuple(self.protocol.seeds),
                device=self.device,
                settings={
                    **model.options,
                    **_prefixed("training", model.training),
                    **_prefixed("preprocessing", model.preprocessing),
                    **_prefixed("dataset", dataset.options),
                },
            )
            for dataset, model in product(self.datasets, self.models)
        )


def read_experiment_file(path: Path) -> ExperimentFile:
    """Read and check an experiment file.

    Raises:
        OptionError: The file cannot be read, is no TOML, lacks a key, or has one that is unknown or
            of the wrong type. The message names file and key.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise OptionError(f"experiment file {path} does not exist; {ADVICE}") from None
    except OSError as error:
        raise OptionError(f"cannot read experiment file {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise OptionError(f"{path} is no text in UTF-8, as TOML must be: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise OptionError(f"{path} is no TOML: {error}") from error
    try:
        return ExperimentFile.model_validate(found)
    except pydantic.ValidationError as error:
        # A misspelt key also leaves the right one missing: say first what was written.
        faults = sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        more = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
        raise OptionError(f"{path}: {_fault(faults[0])}{more}") from error


def below(path: Path, text: str) -> Path:
    """A folder as the file at `path` names it: absolute, `~`, or relative to where the file is."""
    return path.parent / Path(text).expanduser()


def _prefixed(space: str, settings: dict[str, str]) -> dict[str, str]:
    return {f"{space}.{name}": value for name, value in settings.items()}


def _fault(fault: ErrorDetails) -> str:
    """What is wrong with a key: which, where, and what was expected."""
    table, where, key = _place(fault["loc"])
    if fault["type"] == "extra_forbidden":
        known = table.model_fields
        return (
            f"no key is called {key!r}{where}.{did_you_mean(key, known)} Keys: {', '.join(known)}."
        )
    if fault["type"] == "missing":
        return f"the key {key!r} is missing{where}"
    if fault["type"] == "value_error":
        return f"{key!r}{where}: {fault['msg'].removeprefix('Value error, ')}"
    expected = table.model_fields[key].description
    return f"{key!r}{where} must be {expected}, got {fault['input']!r}"


def _place(location: tuple[int | str, ...]) -> tuple[type[_Table], str, str]:
    """The table that a fault lies in, how a message names it, and the key."""
    tables: dict[int | str, type[_Table]] = {
        "datasets": DatasetEntry,
        "models": ModelEntry,
        "trackers": TrackerEntry,
    }
    first = location[0]
    if first in tables and len(location) > 2:
        return tables[first], f" in [[{first}]] number {int(location[1]) + 1}", str(location[2])
    single: dict[int | str, type[_Table]] = {"protocol": ProtocolTable, "executor": ExecutorTable}
    if first in single and len(location) > 1:
        return single[first], f" in [{first}]", str(location[1])
    return ExperimentFile, "", str(first)
