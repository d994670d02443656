"""Where batches come from: a cohort held on the device, or one read ahead of the network."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch import Tensor

from mtsbench.engine.batches import Batch, to_device
from mtsbench.engine.slots import CaseSlots, bytes_of, read_case
from mtsbench.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.data import Cohort, PreparedCase

    Rows = Sequence[int] | NDArray[np.intp]

READERS = 8  # threads at most; beyond it the disk or the memory is the limit


class CaseSource(Protocol):
    """Gives the cases of a cohort as batches on its device.

    Attributes:
        memory: Bytes held for as long as the source lives.
    """

    memory: int

    def expect(self, rows: Rows) -> None:
        """Say which batch will be asked for next, so that it may be read meanwhile."""
        ...

    def batch(self, rows: Rows) -> Batch:
        """Stack the cases of some rows.

        Raises:
            DataError: A case cannot be read; or some cases have a mask and others have none.
        """
        ...


def case_source(cohort: Cohort, device: str, memory: int) -> CaseSource:
    """Hold the cohort on the device if it fits into `memory` bytes, else read ahead.

    Both give the same batches to the last bit.

    Raises:
        DataError: The cohort is empty, or a case cannot be read.
    """
    if not len(cohort):
        raise DataError("the cohort has no case to train or validate on; give at least one")
    first = read_case(cohort, 0)
    if len(cohort) * bytes_of(first) <= memory:
        return HeldCohort(cohort, device, first)
    return StreamedCohort(cohort, device, first)


def batches(source: CaseSource, chunks: Sequence[Rows]) -> Iterator[Batch]:
    """The batches of some rows, each read while the caller works on the one before."""
    for number, rows in enumerate(chunks, start=1):
        batch = source.batch(rows)
        if number < len(chunks):
            source.expect(chunks[number])
        yield batch


class HeldCohort:
    """All cases of a cohort, read once; a batch is gathered on the device.

    Args:
        cohort: Of one case or more.
        device: torch device.
        like: A case with the shapes of all.
    """

    def __init__(self, cohort: Cohort, device: str, like: PreparedCase) -> None:
        self.device = device
        self.memory = len(cohort) * bytes_of(like)
        self._slots = CaseSlots(like, len(cohort), device)
        with _readers() as readers:
            for _ in readers.map(
                lambda row: self._slots.read(row, cohort, row), range(len(cohort))
            ):
                pass  # raises what reading raised

    def expect(self, rows: Rows) -> None:
        """Nothing is left to read."""

    def batch(self, rows: Rows) -> Batch:
        """Gather cases; the host does not wait for the device."""
        index, slots = np.array(rows, np.int64), self._slots
        mask = slots.mask if slots.show_masks(rows) else None
        if self.device == "cpu":
            taken = None if mask is None else mask.numpy()[index]
            return _host_batch(slots.image.numpy()[index], slots.clinical.numpy()[index], taken)
        where = to_device(index, self.device)
        return Batch(
            image=slots.image.index_select(0, where),
            clinical=slots.clinical.index_select(0, where),
            mask=None if mask is None else mask.index_select(0, where).to(torch.float32),
        )


class StreamedCohort:
    """Reads each batch when it is asked for, or before if it was expected.

    Threads read the cases into memory of the host, pinned for a CUDA device, which copies them
    on a stream of its own beside the network's work. Two batches at most are in memory.

    Args:
        cohort: Of one case or more.
        device: torch device.
        like: A case with the shapes of all; None reads the first.
    """

    memory = 0

    def __init__(self, cohort: Cohort, device: str, like: PreparedCase | None = None) -> None:
        self.cohort = cohort
        self.device = device
        self._cuda = torch.device(device).type == "cuda"
        self._stream = torch.cuda.Stream(torch.device(device)) if self._cuda else None
        self._like = like or read_case(cohort, 0)
        self._readers = _readers()  # its threads end when nothing refers to it any more
        self._expected: _Reading | None = None

    def expect(self, rows: Rows) -> None:
        """Begin to read these cases."""
        self._expected = self._begin(rows)

    def batch(self, rows: Rows) -> Batch:
        """Wait for the cases to be read, and copy them to the device."""
        reading, self._expected = self._expected, None
        if reading is None or reading.rows != list(rows):
            reading = self._begin(rows)
        slots = reading.wait()
        masks = slots.mask if slots.show_masks(range(len(reading.rows))) else None
        return self._copy(slots.image, slots.clinical, masks)

    def _begin(self, rows: Rows) -> _Reading:
        slots = CaseSlots(self._like, len(rows), "cpu", pinned=self._cuda)
        return _Reading(self._readers, slots, self.cohort, rows)

    def _copy(self, image: Tensor, clinical: Tensor, mask: Tensor | None) -> Batch:
        if self._stream is None:
            return _host_batch(
                image.numpy(), clinical.numpy(), None if mask is None else mask.numpy()
            )
        with torch.cuda.stream(self._stream):
            image = image.to(self.device, non_blocking=True)
            clinical = clinical.to(self.device, non_blocking=True)
            if mask is not None:
                mask = mask.to(self.device, non_blocking=True).to(torch.float32)
        network_stream = torch.cuda.current_stream(torch.device(self.device))
        network_stream.wait_stream(self._stream)
        for tensor in (image, clinical, mask):
            if tensor is not None:
                # Else its memory could be given away while the network still reads it.
                tensor.record_stream(network_stream)
        return Batch(image=image, clinical=clinical, mask=mask)


class _Reading:
    """A batch that is being read."""

    def __init__(
        self, readers: ThreadPoolExecutor, slots: CaseSlots, cohort: Cohort, rows: Rows
    ) -> None:
        self.rows = [int(row) for row in rows]
        self._slots = slots
        self._tasks: list[Future[None]] = [
            readers.submit(slots.read, slot, cohort, row) for slot, row in enumerate(self.rows)
        ]

    def wait(self) -> CaseSlots:
        """The filled slots; raises what reading raised, of the first case first."""
        for task in self._tasks:
            task.result()
        return self._slots


def _readers() -> ThreadPoolExecutor:
    workers = min(READERS, os.cpu_count() or 1)
    return ThreadPoolExecutor(workers, thread_name_prefix="read-cases")


def _host_batch(
    image: NDArray[np.float32], clinical: NDArray[np.float32], mask: NDArray[np.uint8] | None
) -> Batch:
    """A batch on the CPU.

    NumPy gathers and converts: torch would wake all its threads for a copy of a few MiB, which
    takes ten times as long as the copy where other programs have the processors.
    """
    return Batch(
        image=torch.from_numpy(image),
        clinical=torch.from_numpy(clinical),
        mask=None if mask is None else torch.from_numpy(mask.astype(np.float32)),
    )
