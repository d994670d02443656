"""Memory of the host that large tensors leave to the next ones instead of to the system.

The C library asks the system anew for every tensor above 32 MiB and gives it back at once; each
time the kernel fills the pages with zeros. A step of DeepMTS on 64^3 voxels, batch 8, takes 3.9 s
so and 2.9 s with the memory kept (two cores, glibc 2.36). On 32^3, whose tensors are smaller,
nothing is gained.
"""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager

from mtsbench.engine.precision import is_cuda

# Of <malloc.h>.
TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4
MIB = 2**20
LARGEST = 2**31 - 1  # bytes, an int of C: what is free beyond it goes back nevertheless


@contextmanager
def reused_memory(device: str) -> Iterator[None]:
    """Inside the block the process keeps what tensors on the host have freed; no result changes.

    Afterwards the library does again what it does by itself once large tensors were freed, and
    what is free goes back to the system. Does nothing on CUDA, whose allocator keeps memory anyway,
    and where the C library is not glibc.
    """
    if is_cuda(device) or platform.libc_ver()[0] != "glibc":
        yield
        return
    library = ctypes.CDLL(None)
    library.mallopt(MMAP_MAX, 0)
    library.mallopt(TRIM_THRESHOLD, LARGEST)
    try:
        yield
    finally:
        library.mallopt(MMAP_MAX, 65536)
        library.mallopt(MMAP_THRESHOLD, 32 * MIB)
        library.mallopt(TRIM_THRESHOLD, 64 * MIB)
        library.malloc_trim(0)
