"""Which image sizes a backbone takes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mtsbench.capabilities import has_one_size, has_smallest_size
from mtsbench.errors import DataError

if TYPE_CHECKING:
    from mtsbench.interfaces import Backbone


def least_side(backbone: Backbone) -> int:
    """Voxels that each axis must have at least."""
    return backbone.smallest_side if has_smallest_size(backbone) else 1


def check_size(backbone: Backbone, name: str, size: Sequence[int]) -> None:
    """Refuse a common grid that a backbone does not take.

    Args:
        backbone: Its `multiple`, and what `SmallestSize` and `OneSize` say.
        name: Of the backbone's component.
        size: Voxels (D, H, W).

    Raises:
        DataError: The size does not fit.
    """
    wanted = None
    if has_one_size(backbone) and tuple(size) != tuple(backbone.only_size):
        wanted = f"exactly {tuple(backbone.only_size)}"
    elif any(count % backbone.multiple for count in size):
        wanted = f"multiples of {backbone.multiple}"
    elif min(size) < least_side(backbone):
        wanted = f"at least {least_side(backbone)} along every axis"
    if wanted is not None:
        raise DataError(
            f"the common grid has {tuple(size)} voxels, but backbone {name!r} needs {wanted}; "
            "set --set preprocessing.size"
        )


def side_for(backbones: Iterable[Backbone], least: int) -> int:
    """Side of the smallest cube, of at least this many voxels, that all backbones take."""
    found = list(backbones)
    needed = [least, *map(least_side, found)]
    needed += [max(one.only_size) for one in found if has_one_size(one)]
    step = math.lcm(*(one.multiple for one in found))
    return -(-max(needed) // step) * step
