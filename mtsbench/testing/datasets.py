"""What a dataset promises: the same cases every time, in physical units, without an outcome."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar, cast

import numpy as np

from mtsbench.capabilities import knows_masks
from mtsbench.data import Case, Outcomes
from mtsbench.errors import DataError
from mtsbench.interfaces import Dataset
from mtsbench.preprocessing.cropping import check_case
from mtsbench.testing.contract import Contract, NotApplicable, ensure

LOADED = 3
LOOKED_AT_FOR_OUTCOMES = 12
NOWHERE = Path("/nonexistent/folder-of-no-cohort")
CENTRES = ("field-of-view", "pet-uptake")


class DatasetContract(Contract):
    """Checks of one dataset; the first three cases are loaded.

    Attributes:
        root: Folder of a small cohort in the dataset's own form; None for a dataset that needs
            none, such as a simulated one.
    """

    kind = "dataset"
    root: ClassVar[Path | None] = None

    def test_case_ids_are_unique_and_stable(self) -> None:
        """Two builds name the same cases in the same order, each once."""
        first, second = self._dataset(), self._dataset()
        ensure(first.case_ids, "the dataset has no case")
        ensure(
            len(set(first.case_ids)) == len(first.case_ids),
            f"{len(first.case_ids)} case ids, but only {len(set(first.case_ids))} different ones",
        )
        ensure(first.case_ids == second.case_ids, "a second build names other cases; sort them")

    def test_outcomes_belong_to_cases_and_hold_events(self) -> None:
        """Every endpoint has outcomes of known cases, at least one with an event."""
        dataset = self._dataset()
        for endpoint in self._endpoints(dataset):
            outcomes = dataset.outcomes(endpoint)
            ensure(
                isinstance(outcomes, Outcomes), f"{endpoint}: must be Outcomes, got {outcomes!r}"
            )
            unknown = sorted(set(outcomes.case_ids) - set(dataset.case_ids))
            ensure(not unknown, f"{endpoint}: outcome of {unknown[:1]}, which is no case")
            ensure(outcomes.event.any(), f"{endpoint}: no case has an event")

    def test_an_unknown_endpoint_is_refused(self) -> None:
        """`outcomes` of an unknown endpoint raises DataError."""
        self._refuses(lambda: self._dataset().outcomes("no-such-endpoint"), "an unknown endpoint")

    def test_a_missing_folder_is_refused(self) -> None:
        """A folder that does not exist raises DataError, at the latest when a case is loaded."""
        if self.root is None and self._needs_no_folder():
            raise NotApplicable("the dataset can be built without a folder")

        def use() -> None:
            dataset = cast("Dataset", self.build(NOWHERE))
            dataset.load(dataset.case_ids[0])

        self._refuses(use, "a folder that does not exist")

    def test_images_are_finite_and_of_the_declared_channels(self) -> None:
        """Each case has exactly the channels, finite, in three dimensions with a spacing in mm."""
        dataset = self._dataset()
        for case in self._cases(dataset):
            ensure(
                set(case.images) == set(dataset.channels),
                f"case {case.case_id!r} has channels {sorted(case.images)}, the dataset declares "
                f"{sorted(dataset.channels)}",
            )
            for name, volume in case.images.items():
                ensure(
                    volume.array.ndim == 3 and min(volume.array.shape) > 0,
                    f"{name} of case {case.case_id!r} must be (D, H, W), got {volume.array.shape}",
                )
                ensure(
                    np.isfinite(volume.array).all(),
                    f"{name} of case {case.case_id!r} holds nan or inf",
                )
                ensure(
                    min(volume.grid.spacing) > 0,
                    f"{name} of case {case.case_id!r} has spacing {volume.grid.spacing}",
                )

    def test_channels_and_mask_lie_in_one_patient(self) -> None:
        """Every channel and the tumour overlap, so that the case can be cropped."""
        dataset = self._dataset()
        for case in self._cases(dataset):
            try:
                check_case(case, dataset.channels)
            except DataError as error:
                ensure(False, str(error))

    def test_masks_hold_zero_and_one(self) -> None:
        """A mask is a volume of 0 and 1; `has_mask`, where the dataset has it, tells of it."""
        dataset = self._dataset()
        cases = list(self._cases(dataset))
        if knows_masks(dataset):
            for case in cases:
                told = dataset.has_mask(case.case_id)
                ensure(
                    told == (case.mask is not None),
                    f"has_mask says {told} of case {case.case_id!r}, and load gives "
                    f"{'no mask' if case.mask is None else 'a mask'}",
                )
        masks = [case.mask for case in cases if case.mask is not None]
        if not masks:
            raise NotApplicable("the cases looked at declare no mask")
        for mask in masks:
            values = np.unique(mask.array)
            ensure(
                set(values.tolist()) <= {0, 1},
                f"a mask holds the values {values[:5].tolist()}; expected 0 and 1",
            )

    def test_clinical_values_are_those_declared(self) -> None:
        """Each case has exactly the declared clinical variables, numbers where numeric."""
        dataset = self._dataset()
        kinds = {one.name: one.kind for one in dataset.clinical_variables}
        for case in self._cases(dataset):
            ensure(
                set(case.clinical) == set(kinds),
                f"case {case.case_id!r} has clinical {sorted(case.clinical)}, declared are "
                f"{sorted(kinds)}",
            )
            for name, value in case.clinical.items():
                right = (int, float) if kinds[name] == "numeric" else (str,)
                ensure(
                    value is None or isinstance(value, right),
                    f"{name!r} of case {case.case_id!r} is {kinds[name]}, got {value!r}",
                )

    def test_no_clinical_variable_is_an_outcome(self) -> None:
        """No clinical variable is named as an endpoint's time or event, or orders cases as it."""
        dataset = self._dataset()
        named = {"time", "event", "survival", "follow_up", *dataset.endpoints}
        wrong = [one.name for one in dataset.clinical_variables if one.name.lower() in named]
        ensure(not wrong, f"clinical variable {wrong[:1]} has the name of an outcome")
        for endpoint in self._endpoints(dataset):
            self._no_twin(dataset, dataset.outcomes(endpoint))

    def test_loading_is_repeatable(self) -> None:
        """A case is the same at each load, from a new build and from several threads."""
        first, second = self._dataset(), self._dataset()
        chosen = first.case_ids[:LOADED]
        before = [_bytes(first.load(one)) for one in chosen]
        ensure(
            before == [_bytes(second.load(one)) for one in chosen],
            "a second build loads other voxels or values; draw from a seed of the case",
        )
        with ThreadPoolExecutor(4) as threads:
            again = list(threads.map(lambda one: _bytes(first.load(one)), [*chosen] * 2))
        ensure(again == before * 2, "loading from several threads gives other voxels or values")

    def test_dataset_and_cases_can_be_pickled(self) -> None:
        """Worker processes can be given the dataset and give back a case."""
        dataset = self._dataset()
        try:
            # Only bytes that this process has just written are read back.
            copy = pickle.loads(pickle.dumps(dataset))
            case = pickle.loads(pickle.dumps(copy.load(dataset.case_ids[0])))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            ensure(
                False, f"dataset or case cannot be pickled: {error}; keep no open file or lambda"
            )
        ensure(_bytes(case) == _bytes(dataset.load(dataset.case_ids[0])), "a pickled case differs")

    def test_fingerprints_are_repeatable_and_tell_cases_apart(self) -> None:
        """Two builds have equal fingerprints, two cases different ones."""
        first, second = self._dataset(), self._dataset()
        ensure(first.fingerprint() == second.fingerprint(), "fingerprint() differs between builds")
        chosen = first.case_ids[:LOADED]
        found = [first.case_fingerprint(one) for one in chosen]
        ensure(
            found == [second.case_fingerprint(one) for one in chosen],
            "case_fingerprint() differs between builds",
        )
        ensure(len(set(found)) == len(chosen), "two cases have one case_fingerprint")

    def test_the_geometry_can_be_used(self) -> None:
        """`natural_size` and the spacing are above 0, `test_centre` is known."""
        dataset = self._dataset()
        ensure(
            min(dataset.natural_size) > 0,
            f"natural_size must be voxels > 0, got {dataset.natural_size}",
        )
        ensure(
            min(dataset.natural_spacing) > 0,
            f"natural_spacing must be mm > 0, got {dataset.natural_spacing}",
        )
        ensure(
            dataset.test_centre in CENTRES,
            f"test_centre must be one of {CENTRES}, got {dataset.test_centre!r}",
        )
        unknown = sorted(set(dataset.centres()) - set(dataset.case_ids))
        ensure(not unknown, f"centres() names {unknown[:1]}, which is no case")

    def _dataset(self) -> Dataset:
        """Built anew; a cohort that is not here cannot be checked."""
        if self.root is None and not self._needs_no_folder():
            raise NotApplicable("the dataset needs a folder; declare `root` in a subclass")
        return cast("Dataset", self.build(self.root))

    def _needs_no_folder(self) -> bool:
        try:
            self.build(None)
        except DataError:
            return False
        return True

    def _cases(self, dataset: Dataset) -> Iterator[Case]:
        return (dataset.load(one) for one in dataset.case_ids[:LOADED])

    def _endpoints(self, dataset: Dataset) -> tuple[str, ...]:
        if not dataset.endpoints:
            raise NotApplicable("the dataset declares no endpoint")
        return dataset.endpoints

    def _refuses(self, use: object, what: str) -> None:
        assert callable(use)
        try:
            use()
        except DataError:
            return
        except NotApplicable:
            raise
        except Exception as error:
            ensure(False, f"{what} raised {error!r}; raise DataError that says what to do")
        ensure(False, f"{what} was accepted; raise DataError that says what to do")

    def _no_twin(self, dataset: Dataset, outcomes: Outcomes) -> None:
        """No numeric variable is a rising or falling function of the time."""
        chosen = outcomes.subset(outcomes.case_ids[:LOOKED_AT_FOR_OUTCOMES])
        if len(chosen) < LOOKED_AT_FOR_OUTCOMES or not dataset.clinical_variables:
            return
        clinical = [dataset.load(one).clinical for one in chosen.case_ids]
        for variable in dataset.clinical_variables:
            values = [row[variable.name] for row in clinical]
            if variable.kind != "numeric" or None in values:
                continue
            numbers = np.array(values, dtype=np.float64)
            ranks = [np.argsort(np.argsort(one)) for one in (numbers, chosen.time)]
            alike = abs(float(np.corrcoef(ranks[0], ranks[1])[0, 1]))
            ensure(
                alike < 1 - 1e-9 or len(np.unique(numbers)) < len(numbers),
                f"clinical variable {variable.name!r} orders the first {len(chosen)} cases exactly "
                f"as the time of {outcomes.endpoint!r} does; an outcome is no clinical variable",
            )


def _bytes(case: Case) -> tuple[object, ...]:
    """All that a case holds, comparable."""
    volumes = {**case.images, **({} if case.mask is None else {"mask": case.mask})}
    return (
        case.case_id,
        tuple(sorted(case.clinical.items())),
        tuple(
            (name, one.grid, one.array.dtype.str, one.array.tobytes())
            for name, one in sorted(volumes.items())
        ),
    )
