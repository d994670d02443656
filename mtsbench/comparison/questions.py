"""The question that a run answers, in words, and which runs answer the same one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mtsbench.errors import IncomparableRunsError
from mtsbench.options import NONE_TEXT, format_value

if TYPE_CHECKING:
    from mtsbench.comparison.comparable import FinishedRun
    from mtsbench.records import RunDescription
    from mtsbench.store import RunStore

    StoredRun = tuple[FinishedRun, RunStore]
    Groups = tuple[tuple[StoredRun, ...], ...]

# A part that follows from another tells nothing more where the other differs.
FOLLOWS: Mapping[str, frozenset[str]] = {
    "fingerprint": frozenset({"dataset"}),
    "splits": frozenset(
        {
            *("dataset", "fingerprint", "endpoint"),
            *("folds", "repeats", "split seed", "validation share"),
        }
    ),
}
IN_TITLE = frozenset({"dataset", "endpoint", "preset"})
ADVICE = (
    "run both models with the same settings, or name a folder of runs, whose questions are shown "
    "apart"
)
HASH = 12  # characters of a hash that a person reads


def question_words(about: RunDescription) -> Mapping[str, str]:
    """Each part of the question, the protocol's parts one by one: `{"folds": "3", ...}`."""
    words: dict[str, str] = {}
    for name, value in about.question.items():
        parts = value.items() if isinstance(value, dict) else [(name, value)]
        words |= {key.replace("_", " "): format_value(item) for key, item in parts}
    words["splits"] = about.splits_sha256
    return words


def differences(left: RunDescription, right: RunDescription) -> Mapping[str, tuple[str, str]]:
    """Both values of each part in which two questions differ; hashes are shortened.

    The splits, for instance, are not named where the number of folds differs: they follow from it.
    """
    one, other = question_words(left), question_words(right)
    names = [name for name in {**one, **other} if one.get(name) != other.get(name)]
    return {
        name: (_short(name, one.get(name)), _short(name, other.get(name)))
        for name in names
        if not FOLLOWS.get(name, frozenset()) & set(names)
    }


def difference_text(pairs: Mapping[str, tuple[str, str]]) -> str:
    """`folds: 3 and 5, seeds: 0 and 0,1`."""
    return ", ".join(f"{name}: {left} and {right}" for name, (left, right) in pairs.items())


def by_question(runs: Sequence[StoredRun]) -> Groups:
    """Runs that answer the same question on the same splits, in the order given."""
    groups: dict[str, list[StoredRun]] = {}
    for run, store in runs:
        groups.setdefault(_identity(run.description), []).append((run, store))
    return tuple(tuple(group) for group in groups.values())


def by_dataset(runs: Sequence[StoredRun]) -> Groups:
    """The runs of each dataset and endpoint with their stores, in the order given.

    Raises:
        IncomparableRunsError: Preset or protocol differ between datasets, so that differences
            there would not be of the same methods.
    """
    groups: dict[tuple[str, str], list[StoredRun]] = {}
    first = runs[0][0].description
    for run, store in runs:
        about = run.description
        if asked_alike(first) != asked_alike(about):
            unlike = {
                name: pair
                for name, pair in differences(first, about).items()
                if name in {**asked_alike(first), **asked_alike(about)}
            }
            raise IncomparableRunsError(
                f"{first.name} and {about.name} differ in {difference_text(unlike)}; {ADVICE}"
            )
        key = str(about.question["dataset"]), str(about.question["endpoint"])
        groups.setdefault(key, []).append((run, store))
    return tuple(tuple(group) for group in groups.values())


def asked_alike(about: RunDescription) -> Mapping[str, str]:
    """What the questions put to several datasets must share: preset and protocol."""
    rest = {"dataset", "fingerprint", "endpoint", "splits"}
    return {name: value for name, value in question_words(about).items() if name not in rest}


def tell_apart(questions: Sequence[RunDescription]) -> tuple[str, ...]:
    """What tells each question from the others, beside dataset, endpoint and preset.

    For instance `folds 3, seeds 0`; empty where those three say it all.
    """
    found = []
    for one in questions:
        names = dict.fromkeys(name for other in questions for name in differences(one, other))
        words = question_words(one)
        parts = [f"{n} {_short(n, words.get(n))}" for n in names if n not in IN_TITLE]
        found.append(", ".join(parts))
    return tuple(found)


def section_names(questions: Sequence[RunDescription]) -> tuple[str, ...]:
    """A file name for each question, the shortest that is unique among them.

    `veteran-os`, else `veteran-os-demo-5x2` with folds and repeats, else with a hash behind it.
    """
    short = [f"{one.question['dataset']}-{one.question['endpoint']}" for one in questions]
    words = [question_words(one) for one in questions]
    longer = [
        f"{name}-{said.get('preset')}-{said.get('folds')}x{said.get('repeats')}"
        for name, said in zip(short, words, strict=True)
    ]
    hashed = [f"{name}-{_identity(one)[:8]}" for name, one in zip(longer, questions, strict=True)]
    return tuple(next((n for n in (short, longer) if len(set(n)) == len(n)), hashed))


def _identity(about: RunDescription) -> str:
    parts = json.dumps([about.question, about.splits_sha256], sort_keys=True)
    return hashlib.sha256(parts.encode()).hexdigest()


def _short(name: str, value: str | None) -> str:
    if value is None:
        return NONE_TEXT
    return value[:HASH] if name in FOLLOWS else value
