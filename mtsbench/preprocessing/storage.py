"""The numbers that a crop is kept as."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from mtsbench.errors import DataError
from mtsbench.preprocessing.normalisation import CT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mtsbench.preprocessing.settings import Storage


def stored_as(
    storage: Storage, channels: Sequence[str], size: tuple[int, int, int]
) -> tuple[np.dtype[np.generic], tuple[int, ...]]:
    """Type and shape of the array in the cache.

    float32 is one array (C, D, H, W). float16 is one record whose fields, named for the channels'
    positions, are the channels (D, H, W): int16 for `ct_hu`, float16 for all others.
    """
    if storage == "float32" or not channels:
        return np.dtype(np.float32), (len(channels), *size)
    kinds = [np.int16 if channel == CT else np.float16 for channel in channels]
    fields = [(str(position), kind, size) for position, kind in enumerate(kinds)]
    return cast("np.dtype[np.generic]", np.dtype(fields)), (1,)


def encode(
    images: NDArray[np.float32], storage: Storage, channels: Sequence[str], case_id: str
) -> NDArray[np.generic]:
    """Images (C, D, H, W) in physical units as the cache keeps them.

    Raises:
        DataError: A value lies beyond what the storage can hold; names case and channel.
    """
    dtype, shape = stored_as(storage, channels, cast("tuple[int, int, int]", images.shape[1:]))
    if dtype == np.float32:
        return images
    stored: NDArray[np.void] = np.empty(shape, cast("np.dtype[np.void]", dtype))
    for position, (channel, values) in enumerate(zip(channels, images, strict=True)):
        limits = np.iinfo(np.int16) if channel == CT else np.finfo(np.float16)
        rounded = np.rint(values) if channel == CT else values
        outside = (rounded < limits.min) | (rounded > limits.max)
        if outside.any():
            raise DataError(
                f"case {case_id!r}, channel {channel!r}: the value {values[outside][0]:g} cannot "
                f"be stored as {limits.dtype}, which holds {limits.min:g} to {limits.max:g}; use "
                "--set preprocessing.storage=float32, or correct the units of the channel"
            )
        stored[str(position)][0] = rounded
    return stored


def decode(stored: NDArray[np.generic]) -> NDArray[np.float32]:
    """What `encode` was given, rounded; float32 is not copied."""
    names = stored.dtype.names
    if names is None:
        return cast("NDArray[np.float32]", stored)
    (record,) = cast("NDArray[np.void]", stored)
    return np.stack([record[name] for name in names]).astype(np.float32, copy=False)
