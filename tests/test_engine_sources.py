"""Held or streamed, a cohort gives the same batches, and the same training to the last bit."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from mtsbench.engine.batches import to_device
from mtsbench.engine.deep_model import DeepModel
from mtsbench.engine.network import assemble, build_losses
from mtsbench.engine.slots import bytes_of
from mtsbench.engine.sources import HeldCohort, StreamedCohort, batches, case_source
from mtsbench.engine.training import train, validate
from mtsbench.errors import DataError

ALL_OF_IT, NOTHING = 2**30, 0


@pytest.fixture(
    params=[
        ("cpu", ALL_OF_IT),
        ("cpu:0", ALL_OF_IT),  # gathers as another device does, but with values that can be seen
        ("cpu", NOTHING),
    ],
    ids=["held", "held and gathered by the device", "streamed"],
)
def source_of(request):
    device, memory = request.param
    return lambda cohort: case_source(cohort, device, memory)


class Counted:
    """A cohort whose reads are counted; a reason to fail may be given for a case."""

    def __init__(self, cohort, fails=None) -> None:
        self.reads: list[str] = []
        self.fails = fails or {}
        self.inner = cohort
        self.cohort = replace(cohort, read=self.read)

    def read(self, case_id):
        self.reads.append(case_id)
        if case_id in self.fails:
            raise self.fails[case_id]
        return self.inner.read(case_id)


def changed(cohort, case_id, **changes):
    def read(one):
        case = cohort.read(one)
        return replace(case, **changes) if one == case_id else case

    return replace(cohort, read=read)


def test_cases_are_stacked_in_the_order_of_the_rows(phantom, source_of):
    cohort = phantom.patients(5).cohort

    batch = source_of(cohort).batch(np.array([3, 1, 3]))

    assert batch.image.shape == (3, 2, *phantom.SIZE)
    assert batch.image.is_contiguous()
    assert batch.image.dtype == batch.clinical.dtype == batch.mask.dtype == torch.float32
    for position, row in enumerate((3, 1, 3)):
        np.testing.assert_array_equal(batch.image[position], cohort[row].image)
        np.testing.assert_array_equal(batch.mask[position], cohort[row].mask)
        np.testing.assert_array_equal(batch.clinical[position], cohort[row].clinical)


def test_a_batch_may_be_changed_without_changing_the_next(phantom, source_of):
    source = source_of(phantom.patients(3).cohort)
    first = source.batch([0, 1])
    before = first.image.clone()

    first.image.zero_()
    first.mask.zero_()

    assert torch.equal(source.batch([0, 1]).image, before)
    assert source.batch([0, 1]).mask.any()


def test_a_cohort_without_masks_gives_batches_without(phantom, source_of):
    assert source_of(phantom.patients(4, masks=False).cohort).batch([0, 1]).mask is None


@pytest.mark.parametrize("blind", ["P0-00", "P0-02"])
def test_a_case_without_mask_among_others_is_refused_by_name(phantom, source_of, blind):
    source = source_of(changed(phantom.patients(4).cohort, blind, mask=None))

    with pytest.raises(
        DataError, match=f"case '{blind}' has no tumour mask, but others of its cohort"
    ):
        source.batch([0, 2])
    assert source.batch([1, 3]).mask is not None
    assert source.batch([int(blind[-1])]).mask is None


def test_a_table_without_images_has_clinical_values_only(phantom, source_of):
    cohort = phantom.patients(3, masks=False).cohort
    empty = np.empty((0, *phantom.SIZE), np.float32)
    bare = replace(cohort, read=lambda one: replace(cohort.read(one), image=empty))

    batch = source_of(bare).batch([2, 0])

    assert batch.image.shape == (2, 0, *phantom.SIZE)
    np.testing.assert_array_equal(batch.clinical[0], cohort[2].clinical)


def test_a_case_that_may_not_be_written_to_is_read_without_a_warning(phantom, source_of):
    cohort = phantom.patients(3).cohort
    frozen = cohort[1].image.copy()
    frozen.flags.writeable = False

    batch = source_of(changed(cohort, "P0-01", image=frozen)).batch([1])

    np.testing.assert_array_equal(batch.image[0], frozen)


def test_a_cohort_is_held_if_it_just_fits(phantom):
    cohort = phantom.patients(4).cohort
    needed = 4 * bytes_of(cohort[0])

    held, streamed = case_source(cohort, "cpu", needed), case_source(cohort, "cpu", needed - 1)

    assert isinstance(held, HeldCohort)
    assert held.memory == needed == 4 * (8 * 12 * 16 * (2 * 4 + 1) + 4)
    assert isinstance(streamed, StreamedCohort)
    assert streamed.memory == 0


def test_a_held_cohort_reads_each_case_once(phantom):
    counted = Counted(phantom.patients(4).cohort)
    source = case_source(counted.cohort, "cpu", ALL_OF_IT)
    counted.reads.clear()

    for _ in range(3):
        source.batch([0, 3, 3])

    assert counted.reads == []


def test_an_expected_batch_is_read_before_it_is_asked_for(phantom):
    cohort, read = phantom.patients(4).cohort, threading.Event()

    def noticed(case_id):
        if case_id == "P0-02":
            read.set()
        return cohort.read(case_id)

    source = StreamedCohort(replace(cohort, read=noticed), "cpu")
    source.expect([2])

    assert read.wait(timeout=30)
    np.testing.assert_array_equal(source.batch([2]).image[0], cohort[2].image)


def test_an_expected_batch_is_read_once_and_only_used_for_its_rows(phantom):
    counted = Counted(phantom.patients(4).cohort)
    source = StreamedCohort(counted.cohort, "cpu")
    counted.reads.clear()

    source.expect([2, 1])
    source.batch([2, 1])
    assert sorted(counted.reads) == ["P0-01", "P0-02"]
    source.expect([0])
    batch = source.batch([3])

    np.testing.assert_array_equal(batch.image[0], counted.inner[3].image)


def test_chunks_come_in_order_and_each_case_is_read_once(phantom, source_of):
    counted = Counted(phantom.patients(5).cohort)
    source = source_of(counted.cohort)
    chunks = [range(2), range(2, 4), range(4, 5)]

    found = torch.cat([batch.clinical for batch in batches(source, chunks)])

    expected = np.stack([counted.inner[row].clinical for row in range(5)])
    np.testing.assert_array_equal(found, expected)
    # The first once more, for the shapes.
    assert sorted(counted.reads) == ["P0-00", "P0-00", "P0-01", "P0-02", "P0-03", "P0-04"]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            OSError(5, "Input/output error"),
            r"case 'P0-03' cannot be read \(OSError: .*cache",
        ),
        (DataError("no such crop"), "case 'P0-03': no such crop"),
        (DataError("case 'P0-03' was not prepared"), "^case 'P0-03' was not prepared"),
    ],
)
@pytest.mark.parametrize("memory", [ALL_OF_IT, NOTHING])
def test_an_error_of_a_reading_thread_surfaces_with_the_case(phantom, error, message, memory):
    counted = Counted(phantom.patients(4).cohort, fails={"P0-03": error})

    def read():
        source = case_source(counted.cohort, "cpu", memory)
        source.expect([1, 3])
        return source.batch([1, 3])

    with pytest.raises(DataError, match=message):
        read()


def test_after_an_error_other_cases_can_still_be_read(phantom):
    counted = Counted(phantom.patients(4).cohort, fails={"P0-03": OSError("gone")})
    source = StreamedCohort(counted.cohort, "cpu")
    source.expect([3])

    with pytest.raises(DataError, match="'P0-03' cannot be read"):
        source.batch([3])

    np.testing.assert_array_equal(source.batch([1]).image[0], counted.inner[1].image)


def test_a_case_of_another_shape_is_refused_by_name(phantom, source_of):
    cohort = phantom.patients(3).cohort
    narrow = changed(cohort, "P0-02", image=cohort[2].image[:1])

    with pytest.raises(
        DataError, match=r"case 'P0-02': its image has shape \(1, 8, 12, 16\), expected \(2, 8, "
    ):
        source_of(narrow).batch([1, 2])


def test_an_empty_cohort_is_refused(phantom):
    with pytest.raises(DataError, match="the cohort has no case to train or validate on"):
        case_source(replace(phantom.patients(3).cohort, case_ids=()), "cpu", ALL_OF_IT)


def test_what_was_read_in_inference_mode_can_be_trained_on(phantom, source_of):
    source = source_of(phantom.patients(3).cohort)
    with torch.inference_mode():
        source.expect([1])
    weight = torch.ones((), requires_grad=True)

    (source.batch([1]).image * weight).sum().backward()

    assert weight.grad != 0


def test_a_held_cohort_lies_on_its_device_and_gives_batches_there(phantom):
    cohort = phantom.patients(3).cohort

    batch = HeldCohort(cohort, "meta", cohort[0]).batch(range(2))

    for tensor, like in ((batch.image, cohort[0].image), (batch.mask, cohort[0].mask)):
        assert tensor.device.type == "meta"
        assert tensor.dtype == torch.float32
        assert tensor.shape == (2, *like.shape)


def test_arrays_go_to_the_device():
    found = to_device(np.arange(3), "meta")

    assert (found.device.type, found.dtype, found.shape) == ("meta", torch.int64, (3,))


def test_training_is_the_same_to_the_last_bit_held_or_streamed(phantom):
    def fitted(memory):
        log = []
        context = replace(
            phantom.context(phantom.settings()),
            case_memory=memory,
            log=lambda epoch, values: log.append(dict(values)),
        )
        model = DeepModel(phantom.composition(), phantom.components(), "cpu")
        model.fit(phantom.patients(12), phantom.patients(6, seed=1), context)
        return log, model.predict(phantom.patients(5, seed=2).cohort)

    (held_log, held), (log, streamed) = fitted(1024), fitted(0)

    assert held_log == log
    np.testing.assert_array_equal(held.risk, streamed.risk)
    np.testing.assert_array_equal(held.tumour_probability, streamed.tumour_probability)


@pytest.fixture
def reads(phantom):
    """How many training and validation cases three epochs read, with some MiB to hold them."""

    def count(training, validation, memory):
        network = assemble(phantom.composition(), phantom.components(), 2, 1)
        losses = build_losses(phantom.composition(), phantom.components(), phantom.settings())
        cohorts = [phantom.patients(training), phantom.patients(validation, seed=1)]
        counted = [Counted(one.cohort) for one in cohorts]
        labelled = [
            replace(one, cohort=count.cohort) for one, count in zip(cohorts, counted, strict=True)
        ]
        context = replace(phantom.context(phantom.settings()), case_memory=memory)
        train(network, losses, *labelled, context)
        return [len(one.reads) for one in counted]

    return count


# The first case of a cohort is read once more for the shapes, that of training also for its grid.
def test_held_cases_are_read_once_for_all_epochs(reads):
    assert reads(12, 6, memory=1024) == [12 + 2, 6 + 1]


def test_without_memory_cases_are_read_when_they_are_needed(reads):
    # Twelve steps of eight cases, and one step that is read ahead.
    assert reads(12, 6, memory=0) == [13 * 8 + 2, 3 * 6 + 1]


def test_validation_cases_are_held_if_they_fit_beside_the_training_cases(phantom, reads):
    size = bytes_of(phantom.patients(60).cohort[0])
    assert 60 * size < 2**20 < 80 * size < 2**21

    assert reads(60, 20, memory=1) == [60 + 2, 3 * 20 + 1]
    assert reads(60, 20, memory=2) == [60 + 2, 20 + 1]


def test_a_given_source_gives_the_validation_cases(phantom):
    patients = phantom.patients(6)
    network = assemble(phantom.composition(), phantom.components(), 2, 1)
    context = phantom.context(phantom.settings())
    source = case_source(patients.cohort, "cpu", ALL_OF_IT)
    counted = Counted(patients.cohort)
    unread = replace(patients, cohort=counted.cohort)

    found = validate(network, unread, context, source)

    assert counted.reads == []
    assert found == validate(network, patients, context)
