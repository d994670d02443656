"""The part of a comparison's page that stands on several datasets at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtsbench.comparison.questions import asked_alike
from mtsbench.report.across_datasets import (
    across_table,
    differences_by_model,
    forest_figure,
    rank_figure,
)
from mtsbench.report.missing_text import left_out_lines

if TYPE_CHECKING:
    from mtsbench.comparison.analysis import Analysis
    from mtsbench.report.figures import Picture
    from mtsbench.report.text_table import Table


@dataclass(frozen=True, kw_only=True, eq=False)
class Together:
    """What several datasets under one preset and protocol say together.

    Attributes:
        title: `All datasets`, and the preset and protocol where there are several.
        folder: For its files, below that of the report; empty where there is only one.
    """

    title: str
    folder: str
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    sentences: tuple[str, ...] = ()


def all_datasets(analyses: Sequence[Analysis]) -> tuple[Together, ...]:
    """One part for each preset and protocol that two or more datasets share."""
    alike: dict[tuple[tuple[str, str], ...], list[Analysis]] = {}
    for analysis in analyses:
        alike.setdefault(tuple(asked_alike(analysis.description).items()), []).append(analysis)
    found = []
    for number, (words, group) in enumerate(alike.items(), 1):
        said = ", ".join(f"{name} {value}" for name, value in words)
        title = "All datasets" + f" ({said})" * (len(alike) > 1)
        one = _together(group, title, f"all-datasets-{number}" * (len(alike) > 1))
        found += [one] * (one is not None)
    return tuple(one for one in found if one is not None)


def _together(analyses: Sequence[Analysis], title: str, folder: str) -> Together | None:
    reference = next((one.reference for one in analyses if one.reference is not None), None)
    if len(analyses) < 2 or reference is None:
        return None
    datasets = [str(one.description.question["dataset"]) for one in analyses]
    twice = [name for name in dict.fromkeys(datasets) if datasets.count(name) > 1]
    if twice:
        sentence = (
            f"No mean over datasets: {', '.join(twice)} is there more than once (another endpoint "
            "or other data), and a mean needs datasets of different patients. Name the runs of one "
            "question for each dataset."
        )
        return Together(title=title, folder=folder, sentences=(sentence,))
    missing = tuple(
        f"{one.description.question['dataset']}: {line}"
        for one in analyses
        for line in left_out_lines(one)
    )
    found = differences_by_model(analyses)
    if not found:
        sentence = (
            "There is no mean over datasets, because no model has a tested difference on two or "
            "more datasets."
        )
        return Together(title=title, folder=folder, sentences=(*missing, sentence))
    table, sentences = across_table(found, analyses)
    pictures = [forest_figure(found, reference.name), rank_figure(analyses)]
    return Together(
        title=title,
        folder=folder,
        tables=(table,),
        pictures=tuple(one for one in pictures if one is not None),
        sentences=(*missing, *sentences),
    )
