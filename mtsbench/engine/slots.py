"""Tensors that cases are read into, one slot each."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from mtsbench.errors import DataError, MtsbenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mtsbench.data import Cohort, PreparedCase


class CaseSlots:
    """Image (N, C, D, H, W) and clinical (N, F) float32, mask (N, 1, D, H, W) uint8.

    Args:
        like: A case with the shapes of all.
        count: N.
        device: torch device.
        pinned: In memory of the host from which a CUDA device copies by itself.
    """

    mask: Tensor | None

    def __init__(
        self, like: PreparedCase, count: int, device: str, *, pinned: bool = False
    ) -> None:
        self.device = device
        self.pinned = pinned
        self.image = self._empty((count, *like.image.shape), torch.float32)
        self.clinical = self._empty((count, *like.clinical.shape), torch.float32)
        self.mask = None
        self.case_ids = [""] * count
        self.has_mask = np.zeros(count, np.bool_)
        self._lock = threading.Lock()

    def read(self, slot: int, cohort: Cohort, row: int) -> None:
        """Read a case into a slot; several threads may fill different slots.

        Raises:
            DataError: The case cannot be read, or has another shape; names the case.
        """
        case = read_case(cohort, row)
        self.case_ids[slot] = case.case_id
        _put(self.image[slot], case.image, case.case_id, "image")
        _put(self.clinical[slot], case.clinical, case.case_id, "clinical vector")
        if case.mask is not None:
            _put(self._masks()[slot], case.mask, case.case_id, "mask")
            self.has_mask[slot] = True

    def show_masks(self, slots: Sequence[int] | NDArray[np.intp]) -> bool:
        """Whether these cases have masks.

        Raises:
            DataError: Some have one and others have none.
        """
        shown = self.has_mask[np.asarray(slots, np.intp)]
        if shown.any() and not shown.all():
            without = self.case_ids[int(slots[int(shown.argmin())])]
            raise DataError(
                f"case {without!r} has no tumour mask, but others of its cohort have; give it one "
                "or leave it out of the cohort"
            )
        return bool(shown.any())

    def _masks(self) -> Tensor:
        with self._lock:
            if self.mask is None:
                count, _, *size = self.image.shape
                self.mask = self._empty((count, 1, *size), torch.uint8)
            return self.mask

    def _empty(self, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
        # A tensor made in inference mode could not be trained on later.
        with torch.inference_mode(False):
            return torch.empty(shape, dtype=dtype, device=self.device, pin_memory=self.pinned)


def bytes_of(case: PreparedCase) -> int:
    """What the case takes in a slot, with a mask whether it has one or not."""
    mask = int(np.prod(case.image.shape[1:]))
    return 4 * (case.image.size + case.clinical.size) + mask


def read_case(cohort: Cohort, row: int) -> PreparedCase:
    """The case of a row.

    Raises:
        DataError: It cannot be read; names the case.
    """
    case_id = cohort.case_ids[row]
    try:
        return cohort[row]
    except MtsbenchError as error:
        if repr(case_id) in str(error):
            raise
        raise DataError(f"case {case_id!r}: {error}") from error
    except Exception as error:
        raise DataError(
            f"case {case_id!r} cannot be read ({type(error).__name__}: {error}); "
            "check the cache folder and its disk, then run the same command again"
        ) from error


def _put(target: Tensor, values: NDArray[np.generic], case_id: str, what: str) -> None:
    if values.shape != target.shape:
        raise DataError(
            f"case {case_id!r}: its {what} has shape {values.shape}, expected "
            f"{tuple(target.shape)} as the first case of the cohort has; all must be prepared alike"
        )
    if target.device.type == "cpu":
        # Not torch's copy, which would start threads of its own in each reading thread.
        target.numpy()[...] = values
    else:
        target.copy_(torch.from_numpy(np.require(values, requirements=("C", "W"))))
