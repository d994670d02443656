"""A dataset in memory that counts what is loaded: what the tests of the cache prepare."""

from __future__ import annotations

import hashlib
import threading
import time
import weakref
from dataclasses import replace

import numpy as np

from mtsbench.data import Case
from mtsbench.errors import DataError
from mtsbench.preprocessing import CaseCache
from mtsbench.volumes import Grid, Volume

CHANNELS = ("pet_suv", "ct_hu")


def phantom(case_id: str, tumour: str = "mask") -> Case:
    """Random PET and CT on grids of their own; `tumour` is mask, empty or none."""
    rng = np.random.default_rng(list(case_id.encode()))
    pet_grid = Grid(size=(10, 12, 12), spacing=(4.0, 4.0, 4.0), origin=(0.0, 2.0, 4.0))
    ct_grid = Grid(size=(14, 24, 24), spacing=(3.0, 2.0, 2.0))
    mask = np.zeros(ct_grid.size, np.uint8)
    if tumour == "mask":
        mask[4:9, 6:13, 5:11] = 1
    return Case(
        case_id=case_id,
        images={
            "pet_suv": Volume(array=rng.gamma(2.0, size=pet_grid.size), grid=pet_grid),
            "ct_hu": Volume(array=rng.integers(-900, 900, ct_grid.size), grid=ct_grid),
        },
        mask=None if tumour == "none" else Volume(array=mask, grid=ct_grid),
        clinical={"age": float(rng.integers(30, 80))},
    )


class Phantoms:
    """A dataset in memory that counts what is loaded and how much of it is alive."""

    channels = CHANNELS
    clinical_variables = ()
    endpoints = ()
    simulated = True
    natural_spacing = (4.0, 4.0, 4.0)
    natural_size = (16, 16, 16)
    test_centre = "field-of-view"

    def __init__(self, *cases: Case, seconds: float = 0.0) -> None:
        self.cases = {case.case_id: case for case in cases}
        self.case_ids = tuple(self.cases)
        self.seconds = seconds
        self.loaded: list[str] = []
        self.alive = self.most_alive = 0
        self.lock = threading.RLock()

    def load(self, case_id):
        case = replace(self.cases[case_id])
        with self.lock:
            self.loaded.append(case_id)
            self.alive += 1
            self.most_alive = max(self.alive, self.most_alive)
        weakref.finalize(case, self.forget)
        time.sleep(self.seconds)
        return case

    def forget(self):
        with self.lock:
            self.alive -= 1

    def case_fingerprint(self, case_id):
        case = self.cases[case_id]
        digest = hashlib.sha256(str(sorted(case.clinical.items())).encode())
        for volume in (*case.images.values(), case.mask):
            digest.update(b"none" if volume is None else volume.array.tobytes())
        return digest.hexdigest()

    def outcomes(self, endpoint):
        raise DataError(f"no endpoint {endpoint!r}")

    def centres(self):
        return {}

    def fingerprint(self):
        return "".join(map(self.case_fingerprint, self.case_ids))


def three() -> Phantoms:
    return Phantoms(*map(phantom, ("P1", "P2", "P3")))


def prepare(cache: CaseCache, requests, workers: int = 2) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    cache.prepare(
        requests, workers=workers, progress=lambda done, total: seen.append((done, total))
    )
    return seen
