"""Refusing arrays that do not fit together.

NumPy stretches a shape that is nearly right: survival (N,) against N patients and one day gave N
scores, none of them right, and no error. Every metric function asks here first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def check_follow_up(
    time: NDArray[np.float64], event: NDArray[np.bool_], **columns: NDArray[Any] | None
) -> None:
    """Refuse follow-up, or what stands beside it, that is not one entry for each patient.

    Args:
        time: Must be (N,).
        event: Must be (N,) bool.
        columns: By name; each must be (N,), or None where it is not given.

    Raises:
        ValueError: A shape differs, which it names, or `event` is not bool.
    """
    if np.ndim(time) != 1:
        raise ValueError(
            f"time must have shape (N,), one entry for each patient, got {np.shape(time)}; "
            "take one column"
        )
    for name, values in {"event": event, **columns}.items():
        if values is not None and np.shape(values) != time.shape:
            raise ValueError(
                f"{name} must have shape {time.shape}, one entry for each patient as in time, got "
                f"{np.shape(values)}; give the same patients in the same order"
            )
    if event.dtype != np.bool_:
        raise ValueError(
            f"event must be bool, True where the event was observed, got {event.dtype}; "
            "give event == 1"
        )


def check_curves(
    survival: NDArray[np.float64], days: NDArray[np.float64], patients: int | None = None
) -> None:
    """Refuse survival probabilities that are not a row for each patient and a column for each day.

    Args:
        survival: Must be (N, M).
        days: Must be (M,), at least one.
        patients: N; any number where it is not known.

    Raises:
        ValueError: A shape differs, which it names.
    """
    if np.ndim(days) != 1 or not len(days):
        raise ValueError(f"days must have shape (M,), at least one day, got {np.shape(days)}")
    shape = np.shape(survival)
    if len(shape) != 2 or shape[1] != len(days) or patients not in (None, shape[0]):
        count = "N" if patients is None else patients
        raise ValueError(
            f"survival must have shape ({count}, {len(days)}), a row for each patient and a column "
            f"for each day, got {shape}; one day is survival[:, None], one curve survival[None, :]"
        )


def check_masks(predicted: NDArray[np.bool_], mask: NDArray[np.bool_]) -> None:
    """Refuse masks that do not lie on one grid.

    Raises:
        ValueError: The shapes differ or are not (D, H, W), which it names.
    """
    if np.ndim(mask) != 3 or np.shape(predicted) != np.shape(mask):
        raise ValueError(
            f"both masks must have one shape (D, H, W), got predicted {np.shape(predicted)} and "
            f"mask {np.shape(mask)}; resample the prediction to the grid of the true mask"
        )
