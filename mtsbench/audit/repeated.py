"""Whether a patient is in the cohort twice, and whether the audit would notice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mtsbench.audit.altered import AlteredDataset, Twin
from mtsbench.audit.findings import Finding
from mtsbench.audit.twins import Pair, Twins, apart, find_twins
from mtsbench.splits import make_splits

if TYPE_CHECKING:
    from collections.abc import Callable

    from mtsbench.data import Outcomes
    from mtsbench.interfaces import Dataset
    from mtsbench.protocol import Protocol
    from mtsbench.splits import Split

SHOWN = 3


def repeated_patients(
    dataset: Dataset,
    outcomes: Outcomes,
    protocol: Protocol,
    *,
    workers: int,
    progress: Callable[[int, int], None],
) -> Iterator[Finding]:
    """Plant twins across folds and find them, then look for real ones.

    Args:
        dataset: Every case with an outcome is loaded once, and once more with the planted ones.
        outcomes: Of the endpoint.
        protocol: Says which cases are tested together.
        workers: Cases loaded at once.
        progress: Takes the cases done and their total.
    """
    start = time.monotonic()
    found = find_twins(dataset, outcomes, workers=workers, progress=progress)
    middle = time.monotonic()
    yield _planted(dataset, outcomes, protocol, workers, time.monotonic)
    splits = make_splits(outcomes, protocol, dataset.centres())
    yield _real(found, splits, middle - start)


def _planted(
    dataset: Dataset,
    outcomes: Outcomes,
    protocol: Protocol,
    workers: int,
    now: Callable[[], float],
) -> Finding:
    """Twins of one patient, one by image and one by row, among a few others."""
    start = now()
    check = "planted twins are found"
    kinds = {"image": bool(dataset.channels), "row": bool(dataset.clinical_variables)}
    for case_id in outcomes.case_ids:
        twins = {
            f"{case_id} (planted by {kind})": Twin(
                of=case_id, image=kind == "image", row=kind == "row"
            )
            for kind, can in kinds.items()
            if can
        }
        planted = AlteredDataset(dataset, twins=twins)
        known = planted.outcomes(outcomes.endpoint)
        splits = make_splits(known, protocol, planted.centres())
        pairs = [Pair(first=case_id, second=name, alike="") for name in twins]
        if all(apart(splits, one) for one in pairs):
            break
    near = (*outcomes.case_ids[:SHOWN], case_id, *twins)
    some = known.subset(tuple(dict.fromkeys(near)))
    found = {one.second for one in find_twins(planted, some, workers=workers).pairs}
    missed = [name for name in twins if name not in found]
    return Finding(
        check=check,
        status="failed" if missed else "passed",
        measured=(
            f"{', '.join(missed)}: not found"
            if missed
            else f"{len(twins)} of {len(twins)}, in other folds than their patient"
        ),
        seconds=now() - start,
    )


def _real(found: Twins, splits: tuple[Split, ...], seconds: float) -> Finding:
    looked = [
        f"{count} {what}"
        for count, what in ((found.images, "images"), (found.rows, "rows"))
        if count
    ]
    pairs = found.beyond_coincidence()
    told = [
        f"{one.first} = {one.second} ({one.alike}"
        f"{', in different folds' if apart(splits, one) else ''})"
        for one in pairs[:SHOWN]
    ]
    if len(pairs) > SHOWN:
        told.append(f"{len(pairs) - SHOWN} more")
    by_chance = len(found.pairs) - len(pairs)
    if not told:
        told = ["no two are alike"]
    if by_chance:
        told.append(
            f"{by_chance} equal rows, {found.coincidences:.2g} expected of different patients"
        )
    return Finding(
        check="no patient appears twice",
        status="failed" if pairs else "passed",
        measured=f"{' and '.join(looked)}: {'; '.join(told)}",
        seconds=seconds,
    )
