"""pyradiomics against flash-radiomics through the radiomics plugin, on the same regions.

    python benchmarks/peers/pyradiomics_peer.py --python ENVIRONMENT/bin/python [--cases 6] [--json]

pyradiomics lives in an environment of its own. It has no wheel for Python 3.11, and its source
asks for numpy before it says so; 3.1.0 cannot be installed, because it calls itself 3.0.1a1:

    python3.11 -m venv ENVIRONMENT
    ENVIRONMENT/bin/pip install numpy "setuptools<81" wheel versioneer
    ENVIRONMENT/bin/pip install --no-build-isolation pyradiomics==3.0.1

Simulated patients are brought onto the plugin's grid once; both then measure the same PET, CT and
mask with the same bin widths and classes (shape once), each on one thread. They take turns, case by
case, and ratios are taken within a turn. Only `execute` is timed of pyradiomics; the plugin's time
includes setting up its extractor and converting the arrays. The values are compared too.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mtsbench_radiomics.features.settings import RadiomicsSettings

    from mtsbench.data import Case
    from mtsbench.volumes import Volume

Values = Mapping[str, float]
TOLERANCE = 1e-6  # relative


def answer() -> None:
    """In the environment of pyradiomics: measure what each line of standard input names."""
    import logging

    import radiomics
    import SimpleITK as sitk
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    radiomics.logger.setLevel(logging.ERROR)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    print(json.dumps({"version": radiomics.__version__}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        image, mask = sitk.ReadImage(asked["image"]), sitk.ReadImage(asked["mask"])
        extractor = RadiomicsFeatureExtractor(
            binWidth=asked["bin_width"], label=1, additionalInfo=False
        )
        extractor.disableAllFeatures()
        for name in asked["classes"]:
            extractor.enableFeatureClassByName(name)
        start = time.perf_counter()
        found = extractor.execute(image, mask)
        seconds = time.perf_counter() - start
        values = {name: float(value) for name, value in found.items()}
        print(json.dumps({"seconds": seconds, "values": values}), flush=True)


class Peer:
    """The other interpreter, which answers line by line."""

    def __init__(self, python: Path) -> None:
        self.process = subprocess.Popen(
            [str(python), __file__, "--answer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.version = self._read()["version"]

    def measure(self, asked: Mapping[str, object]) -> tuple[float, dict[str, float]]:
        """Seconds, and feature to value."""
        assert self.process.stdin is not None  # a pipe was asked for
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        found = self._read()
        return found["seconds"], found["values"]

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.communicate()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            _, said = self.process.communicate()
            cause = said.strip().splitlines()[-1] if said.strip() else "it said nothing"
            raise SystemExit(f"pyradiomics cannot be asked: {cause}; see the top of {__file__}")
        found: dict[str, Any] = json.loads(line)
        return found


def on_the_grid(case: Case, settings: RadiomicsSettings) -> tuple[dict[str, Volume], Volume]:
    """Images by channel, and the region, on the grid that the plugin measures on."""
    import numpy as np
    from mtsbench_radiomics.features.extraction import isotropic_grid

    from mtsbench.preprocessing.resampling import resample_image, resample_mask
    from mtsbench.volumes import Volume

    assert case.mask is not None  # simulated cases have one
    chosen = settings.interpolation
    grid = isotropic_grid(case.mask, chosen.spacing, chosen.margin)
    arrays = {
        channel: resample_image(case.images[channel], grid, outside=np.nan)
        for channel in settings.discretisation
    }
    region = (resample_mask(case.mask, grid) > 0) & np.logical_and.reduce(
        [np.isfinite(array) for array in arrays.values()]
    )
    images = {
        channel: Volume(
            array=np.nan_to_num(array, nan=float(array[region].min())).astype(np.float32), grid=grid
        )
        for channel, array in arrays.items()
    }
    return images, Volume(array=region.astype(np.uint8), grid=grid)


def take_turns(peer: Peer, cases: int, repeats: int) -> dict[str, Any]:
    """Both on every case, and how far their values agree."""
    from mtsbench_radiomics.features.settings import standard_settings

    from mtsbench.plugins import load_components

    settings = standard_settings()
    dataset: Any = load_components().build("dataset", "npc", None, options={"cases": cases})
    seconds: dict[str, list[float]] = {"pyradiomics": [], "flash-radiomics": []}
    values: list[tuple[Values, Values]] = []
    voxels = 0
    for number, case_id in enumerate(dataset.case_ids):
        images, mask = on_the_grid(dataset.load(case_id), settings)
        voxels += int(mask.array.sum())
        with tempfile.TemporaryDirectory(prefix="pyradiomics-") as folder:
            paths = write_images({**images, "mask": mask}, Path(folder))
            if number == 0:  # the very first turn warms both up
                one_turn(peer, images, mask, paths, settings)
            for repeat in range(repeats):
                spent, found = one_turn(peer, images, mask, paths, settings)
                for name, total in spent.items():
                    seconds[name].append(total)
                values += found if repeat == 0 else []
    return {
        "pyradiomics": peer.version,
        "cases": cases,
        "repeats": repeats,
        "voxels_of_a_region": voxels / cases,
        "seconds_of_a_case": seconds,
        "ratios": [a / b for a, b in zip(*seconds.values(), strict=True)],
        "features_compared": sum(len(theirs.keys() & ours.keys()) for theirs, ours in values),
        "differing": differing(values),
    }


def one_turn(
    peer: Peer,
    images: Mapping[str, Volume],
    mask: Volume,
    paths: Mapping[str, str],
    settings: RadiomicsSettings,
) -> tuple[dict[str, float], list[tuple[Values, Values]]]:
    """Seconds of both for one case, and the values of both for each channel."""
    from mtsbench_radiomics.features.extraction import measure

    spent, values = {"pyradiomics": 0.0, "flash-radiomics": 0.0}, []
    for number, (channel, width) in enumerate(settings.discretisation.items()):
        with_shape = number == 0
        classes = (*settings.classes.intensity, *(["shape"] if with_shape else []))
        taken, theirs = peer.measure(
            {
                **{"image": paths[channel], "mask": paths["mask"]},
                **{"bin_width": width, "classes": classes},
            }
        )
        spent["pyradiomics"] += taken
        start = time.perf_counter()
        ours = measure(images[channel], mask, width, settings, with_shape=with_shape)
        spent["flash-radiomics"] += time.perf_counter() - start
        values.append((theirs, ours))
    return spent, values


def write_images(volumes: Mapping[str, Volume], folder: Path) -> dict[str, str]:
    """Name to the file that the other interpreter reads."""
    import SimpleITK as sitk

    from mtsbench.volumes import to_sitk

    paths = {name: str(folder / f"{name}.mha") for name in volumes}
    for name, volume in volumes.items():
        sitk.WriteImage(to_sitk(volume), paths[name])
    return paths


def differing(values: Sequence[tuple[Values, Values]]) -> dict[str, float]:
    """Feature to its largest relative difference, for those above the tolerance."""
    largest: dict[str, float] = {}
    for theirs, ours in values:
        for name in theirs.keys() & ours.keys():
            scale = max(abs(theirs[name]), abs(ours[name]), 1e-12)
            difference = abs(theirs[name] - ours[name]) / scale
            if not difference <= TOLERANCE:
                short = name.removeprefix("original_")
                largest[short] = max(difference, largest.get(short, 0.0))
    return dict(sorted(largest.items()))


def table(found: dict[str, Any]) -> list[str]:
    """The findings as lines of text."""
    import numpy as np

    lines = [
        f"pyradiomics {found['pyradiomics']}, {found['cases']} simulated patients, "
        f"{found['voxels_of_a_region']:.0f} voxels a region"
    ]
    for name, seconds in found["seconds_of_a_case"].items():
        low, median, high = np.quantile(seconds, (0.25, 0.5, 0.75))
        lines.append(f"  {name:16} {median:.3f} s a case (quartiles {low:.3f} to {high:.3f})")
    low, median, high = np.quantile(found["ratios"], (0.25, 0.5, 0.75))
    lines.append(f"  ratio {median:.2f} (quartiles {low:.2f} to {high:.2f})")
    lines.append(f"  values compared: {found['features_compared']}, equal to {TOLERANCE:g} but for")
    return lines + [f"    {name}: {value:.2g}" for name, value in found["differing"].items()]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--python", type=Path, default=Path(sys.executable))
    parser.add_argument("--cases", type=int, default=6)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--answer", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.answer:
        answer()
        return
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)  # as in the other interpreter
    peer = Peer(chosen.python)
    try:
        found = take_turns(peer, chosen.cases, chosen.repeats)
    finally:
        peer.close()
    print(json.dumps(found, indent=1) if chosen.json else "\n".join(table(found)))


if __name__ == "__main__":
    main()
