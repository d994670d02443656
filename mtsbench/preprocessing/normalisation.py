"""Intensities from physical units to what a network learns from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

CT = "ct_hu"


@dataclass(frozen=True, kw_only=True)
class ChannelStatistics:
    """Mean and standard deviation of one channel over all voxels of the training crops.

    Raises:
        DataError: The mean is not finite or the standard deviation not positive.
    """

    channel: str
    mean: float
    sd: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and 0 < self.sd < math.inf):
            raise DataError(
                f"channel {self.channel!r}: mean {self.mean:g} and SD {self.sd:g} over the "
                "training crops cannot standardise it; expected a finite mean and SD > 0. Check "
                "that the channel holds an image, in the crop, in every training case"
            )


def learn_statistics(
    crops: Iterable[NDArray[np.float32]], channels: Sequence[str]
) -> tuple[ChannelStatistics, ...]:
    """Statistics of every channel but `ct_hu`, whose window is fixed.

    One crop (C, D, H, W) is in memory at a time; sums are float64.

    Raises:
        DataError: A channel has the same value everywhere.

    Source: Chan, Golub, LeVeque, Am. Stat. 37 (1983), 242-247, for joining two samples' moments.
    """
    learnt = [position for position, channel in enumerate(channels) if channel != CT]
    if not learnt:
        return ()
    voxels = 0
    mean = np.zeros(len(learnt))
    squares = np.zeros(len(learnt))
    for crop in crops:
        values = crop[learnt].reshape(len(learnt), crop[0].size).astype(np.float64)
        count = values.shape[1]
        crop_mean = values.mean(axis=1)
        shift = crop_mean - mean
        squares += values.var(axis=1) * count + shift**2 * voxels * count / (voxels + count)
        mean += shift * count / (voxels + count)
        voxels += count
    return tuple(
        ChannelStatistics(
            channel=channels[position],
            mean=float(mean[row]),
            sd=math.sqrt(squares[row] / voxels),
        )
        for row, position in enumerate(learnt)
    )


def normalise(
    image: NDArray[np.float32],
    channels: Sequence[str],
    statistics: Sequence[ChannelStatistics],
    ct_window: tuple[float, float],
) -> None:
    """Scale an image (C, D, H, W) in place to what a network learns from.

    A channel with statistics is standardised; one without (`ct_hu`) is clipped to the window
    and mapped linearly to [-1, 1].
    """
    learnt = {channel_statistics.channel: channel_statistics for channel_statistics in statistics}
    low, high = ct_window
    for channel, values in zip(channels, image, strict=True):
        if channel in learnt:
            values -= np.float32(learnt[channel].mean)
            values /= np.float32(learnt[channel].sd)
        else:
            np.clip(values, np.float32(low), np.float32(high), out=values)
            values -= np.float32((low + high) / 2)
            values /= np.float32((high - low) / 2)
