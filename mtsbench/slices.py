"""One slice of each test case with its images and both tumour contours, for people to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from mtsbench.checksums import read_checked, read_checksums
from mtsbench.preprocessing.resampling import resample_image
from mtsbench.volumes import Grid

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mtsbench.data import Case

FIELD = 160.0  # mm
CHANNELS: Mapping[str, float] = {"pet_suv": 0.0, "ct_hu": -1024.0}
TRUE, PREDICTED = "true", "predicted"
# In the file's metadata; earlier versions cut where true *or* predicted voxels were most.
RULE, TRUE_FIRST = "rule", "most true tumour, else most predicted"

Reason = Literal["true", "predicted", "neither", "unknown"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Slice:
    """What lies in one axial slice (D = const) of a patient, on the true mask's grid.

    Attributes:
        images: Channel name to float32 (H, W), in its physical unit.
        true: bool (H, W).
        predicted: bool (H, W).
        spacing: mm of a pixel along (H, W).
        chosen_by: Why this slice: it has the most true tumour; the patient has none, and it has
            the most predicted tumour; there is neither, and it is the middle; or `unknown`, for it
            was cut by an earlier version, whose slice need not show the true tumour.
    """

    images: Mapping[str, NDArray[np.float32]]
    true: NDArray[np.bool_]
    predicted: NDArray[np.bool_]
    spacing: tuple[float, float]
    chosen_by: Reason = "true"


def cut_slice(
    case: Case, true: NDArray[np.bool_], predicted: NDArray[np.bool_], grid: Grid
) -> Slice:
    """The slice with most true tumour, 160 mm wide about the middle of that tumour.

    A patient without true tumour is shown where most is predicted, and one with neither in the
    middle. Where the prediction is large, the slice with most of it need not hold any true tumour.

    Args:
        case: Gives the images, on their own grids.
        true: (D, H, W) on `grid`.
        predicted: (D, H, W) on `grid`.
        grid: The true mask's.
    """
    shown = true if true.any() else predicted
    area = shown.sum(axis=(1, 2))
    largest = np.flatnonzero(area == area.max())
    depth = int(largest[len(largest) // 2])
    middle = [_middle(shown[depth].any(axis=1 - axis)) for axis in (0, 1)]
    rows, columns = (
        _window(place, FIELD / step, count)
        for place, step, count in zip(middle, grid.spacing[1:], grid.size[1:], strict=True)
    )
    part = Grid(
        size=(1, rows.stop - rows.start, columns.stop - columns.start),
        spacing=grid.spacing,
        origin=grid.to_patient((depth, rows.start, columns.start)),
        direction=grid.direction,
    )
    return Slice(
        images={
            name: resample_image(case.images[name], part, outside=outside)[0]
            for name, outside in CHANNELS.items()
            if name in case.images
        },
        true=true[depth, rows, columns],
        predicted=predicted[depth, rows, columns],
        spacing=(grid.spacing[1], grid.spacing[2]),
        chosen_by=_reason(true, predicted),
    )


def write_slices(path: Path, slices: Mapping[str, Slice]) -> None:
    """Write the slices of a trial, by case id, as safetensors of float16 images."""
    from safetensors.numpy import save_file

    arrays: dict[str, NDArray[np.generic]] = {}
    for case_id, one in slices.items():
        for name, image in one.images.items():
            arrays[f"{case_id}/{name}"] = np.ascontiguousarray(image, dtype=np.float16)
        arrays[f"{case_id}/{TRUE}"] = np.ascontiguousarray(one.true)
        arrays[f"{case_id}/{PREDICTED}"] = np.ascontiguousarray(one.predicted)
        arrays[f"{case_id}/spacing"] = np.array(one.spacing)
    save_file(arrays, path, metadata={RULE: TRUE_FIRST})


def read_slice(path: Path, case_id: str) -> Slice | None:
    """One case's slice; None where the trial left none of it.

    Raises:
        DamagedFileError: The file is not what was written.
    """
    from safetensors import safe_open

    if not path.is_file() and path.name not in read_checksums(path.parent).files:
        return None
    read_checked(path)
    with safe_open(path, framework="numpy") as file:
        known = (file.metadata() or {}).get(RULE) == TRUE_FIRST
        parts = {
            name.removeprefix(f"{case_id}/"): file.get_tensor(name)
            for name in file.keys()  # noqa: SIM118 - no mapping
            if name.startswith(f"{case_id}/")
        }
    if not parts:
        return None
    height, width = parts.pop("spacing").tolist()
    true, predicted = parts.pop(TRUE), parts.pop(PREDICTED)
    return Slice(
        images={name: image.astype(np.float32) for name, image in parts.items()},
        true=true,
        predicted=predicted,
        spacing=(height, width),
        chosen_by=_reason(true, predicted) if known else "unknown",
    )


def _reason(true: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> Reason:
    """Of the volumes, or of a slice of them that was cut by the rule."""
    return "true" if true.any() else "predicted" if predicted.any() else "neither"


def _middle(occupied: NDArray[np.bool_]) -> int:
    where = np.flatnonzero(occupied)
    return len(occupied) // 2 if len(where) == 0 else int(where[0] + where[-1]) // 2


def _window(middle: int, width: float, count: int) -> slice:
    start = max(0, min(middle - round(width / 2), count - round(width)))
    return slice(start, min(count, start + round(width)))
