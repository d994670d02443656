"""One broken dataset for each check, and the check that names its fault."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from threading import current_thread

import numpy as np
import pytest

from mtsbench.data import Case, ClinicalVariable, Outcomes
from mtsbench.errors import DataError
from mtsbench.testing import BrokenPromise, DatasetContract
from mtsbench.volumes import Grid, Volume

GRID = Grid(size=(4, 6, 8), spacing=(3.0, 2.0, 1.0))
builds = itertools.count()


class Right:
    """Sixteen cases of random voxels; right in every way."""

    channels = ("pet_suv",)
    clinical_variables = (
        ClinicalVariable(name="age", kind="numeric"),
        ClinicalVariable(name="sex", kind="categorical"),
    )
    endpoints = ("pfs",)
    simulated = True
    natural_spacing = (3.0, 2.0, 1.0)
    natural_size = (16, 16, 16)
    test_centre = "field-of-view"
    known = ("pfs",)

    def __init__(self) -> None:
        self.build = next(builds)
        self.case_ids = tuple(f"R{number:02}" for number in range(16))

    def load(self, case_id: str) -> Case:
        number = int(case_id[1:])
        rng = np.random.default_rng(number)
        return Case(
            case_id=case_id,
            images={"pet_suv": Volume(array=rng.normal(size=GRID.size), grid=GRID)},
            mask=Volume(array=rng.integers(0, 2, GRID.size).astype(np.uint8), grid=GRID),
            clinical={"age": 40.0 + number * 7 % 16, "sex": "fm"[number % 2]},
        )

    def outcomes(self, endpoint: str) -> Outcomes:
        if endpoint not in self.known:
            raise DataError(f"no endpoint {endpoint!r}; choose pfs")
        return Outcomes(
            endpoint=endpoint,
            case_ids=self.case_ids,
            time=np.linspace(100.0, 900.0, 16),
            event=np.arange(16) % 3 > 0,
        )

    def centres(self):
        return {}

    def case_fingerprint(self, case_id: str) -> str:
        return f"right {case_id}"

    def fingerprint(self) -> str:
        return "right"


class Folder(Right):
    def __init__(self, root: Path | None) -> None:
        super().__init__()
        if root is None or not root.is_dir():
            raise DataError(f"no cohort in {root}; get it from https://example.org/")


class AnyFolder(Folder):
    def __init__(self, root):
        if root is None:
            raise DataError("give --data-root")
        Right.__init__(self)


class CrashesWithoutFolder(Folder):
    def __init__(self, root):
        if root is None:
            raise DataError("give --data-root")
        Right.__init__(self)
        self.root = root

    def load(self, case_id):
        return (self.root / "patients.csv").read_text()


class Empty(Right):
    def __init__(self):
        self.case_ids = ()


class Twice(Right):
    def __init__(self):
        super().__init__()
        self.case_ids = (*self.case_ids, "R00")


class Unsorted(Right):
    def __init__(self):
        super().__init__()
        self.case_ids = self.case_ids[:: 1 if self.build // 2 % 2 else -1]


class Unevented(Right):
    def outcomes(self, endpoint):
        return replace(super().outcomes(endpoint), event=np.zeros(16, dtype=bool))


class OthersOutcomes(Right):
    def outcomes(self, endpoint):
        found = super().outcomes(endpoint)
        return replace(found, case_ids=("X99", *found.case_ids[1:]))


class NegativeTime(Right):
    def outcomes(self, endpoint):
        found = super().outcomes(endpoint)
        return replace(found, time=found.time - 200.0)


class TupleOutcomes(Right):
    def outcomes(self, endpoint):
        return (1.0, True)


class AnyEndpoint(Right):
    known = ("pfs", "no-such-endpoint")


class EndpointKeyError(Right):
    def outcomes(self, endpoint):
        return {"pfs": Right.outcomes(self, "pfs")}[endpoint]


def loading(change):
    """A dataset whose cases are changed by a function of the case and the dataset."""

    class Changed(Right):
        def load(self, case_id):
            return change(super().load(case_id), self)

    return Changed


def image(change):
    def changed(case, dataset):
        old = case.images["pet_suv"]
        return replace(case, images={"pet_suv": change(old)})

    return loading(changed)


NanVoxel = image(lambda old: Volume(array=old.array * np.nan, grid=old.grid))
NoSpacing = image(lambda old: Volume(array=old.array, grid=replace(GRID, spacing=(3.0, 0.0, 1.0))))
Flat = image(lambda old: Volume(array=old.array[0], grid=replace(GRID, size=(6, 8))))
OtherChannel = loading(lambda case, _: replace(case, images={"ct_hu": case.images["pet_suv"]}))
Labels = loading(lambda case, _: replace(case, mask=Volume(array=2 * case.mask.array, grid=GRID)))
Elsewhere = loading(
    lambda case, _: replace(
        case,
        mask=Volume(array=case.mask.array, grid=replace(GRID, origin=(500.0, 0.0, 0.0))),
    )
)
Unmasked = loading(lambda case, _: replace(case, mask=None))
Undeclared = loading(lambda case, _: replace(case, clinical={**case.clinical, "stage": "IV"}))
AgeAsText = loading(lambda case, _: replace(case, clinical={**case.clinical, "age": "forty"}))
AgeIsTime = loading(
    lambda case, _: replace(case, clinical={**case.clinical, "age": 2.0 * int(case.case_id[1:])})
)
AnotherLoad = loading(
    lambda case, dataset: replace(case, clinical={**case.clinical, "age": float(dataset.build)})
)
EachThread = loading(
    lambda case, _: replace(
        case, clinical={**case.clinical, "age": float(len(current_thread().name))}
    )
)


class Denies(Right):
    def has_mask(self, case_id: str) -> bool:
        return False


class TimeAmongClinical(Right):
    clinical_variables = (ClinicalVariable(name="Time", kind="numeric"),)


class OpenFile(Right):
    def __init__(self):
        super().__init__()
        self.read = lambda: None


class BuildFingerprint(Right):
    def fingerprint(self):
        return str(self.build)


class BuildCaseFingerprint(Right):
    def case_fingerprint(self, case_id):
        return f"{case_id} {self.build}"


class OneFingerprint(Right):
    def case_fingerprint(self, case_id):
        return "a case"


class NoVoxels(Right):
    natural_size = (16, 0, 16)


class NoNaturalSpacing(Right):
    natural_spacing = (0.0, 2.0, 1.0)


class OtherCentre(Right):
    test_centre = "mask"


class ForeignCentres(Right):
    def centres(self):
        return {"X99": "hospital"}


FAULTS = [
    ("case_ids_are_unique_and_stable", Empty, "the dataset has no case"),
    ("case_ids_are_unique_and_stable", Twice, "17 case ids, but only 16 different"),
    ("case_ids_are_unique_and_stable", Unsorted, "a second build names other cases"),
    ("outcomes_belong_to_cases_and_hold_events", Unevented, "no case has an event"),
    ("outcomes_belong_to_cases_and_hold_events", OthersOutcomes, "'X99'.*which is no case"),
    ("outcomes_belong_to_cases_and_hold_events", TupleOutcomes, "must be Outcomes, got"),
    ("an_unknown_endpoint_is_refused", AnyEndpoint, "an unknown endpoint was accepted"),
    ("an_unknown_endpoint_is_refused", EndpointKeyError, "unknown endpoint raised KeyError"),
    ("images_are_finite_and_of_the_declared_channels", NanVoxel, "holds nan or inf"),
    ("images_are_finite_and_of_the_declared_channels", NoSpacing, r"spacing \(3\.0, 0\.0"),
    ("images_are_finite_and_of_the_declared_channels", Flat, r"\(D, H, W\), got \(6, 8\)"),
    ("images_are_finite_and_of_the_declared_channels", OtherChannel, r"\['ct_hu'\], the data"),
    ("channels_and_mask_lie_in_one_patient", Elsewhere, "'mask': no overlap with the channels"),
    ("masks_hold_zero_and_one", Labels, r"a mask holds the values \[0, 2\]"),
    ("masks_hold_zero_and_one", Denies, r"has_mask says False of case 'R00', and load gives a mas"),
    ("clinical_values_are_those_declared", Undeclared, "has clinical .*'stage'"),
    ("clinical_values_are_those_declared", AgeAsText, "'age' .* is numeric, got 'forty'"),
    ("no_clinical_variable_is_an_outcome", TimeAmongClinical, "has the name of an outcome"),
    ("no_clinical_variable_is_an_outcome", AgeIsTime, "'age' orders the first 12 cases exactly"),
    ("loading_is_repeatable", AnotherLoad, "a second build loads other voxels"),
    ("loading_is_repeatable", EachThread, "from several threads gives other voxels"),
    ("dataset_and_cases_can_be_pickled", OpenFile, "cannot be pickled"),
    ("dataset_and_cases_can_be_pickled", AnotherLoad, "a pickled case differs"),
    ("fingerprints_are_repeatable_and_tell_cases_apart", BuildFingerprint, r"fingerprint\(\) diff"),
    ("fingerprints_are_repeatable_and_tell_cases_apart", BuildCaseFingerprint, "between builds"),
    ("fingerprints_are_repeatable_and_tell_cases_apart", OneFingerprint, "one case_fingerprint"),
    ("the_geometry_can_be_used", NoVoxels, r"natural_size must be voxels > 0, got \(16, 0, 16\)"),
    ("the_geometry_can_be_used", NoNaturalSpacing, "natural_spacing must be mm > 0"),
    ("the_geometry_can_be_used", OtherCentre, "test_centre must be one of .*, got 'mask'"),
    ("the_geometry_can_be_used", ForeignCentres, "names .'X99'., which is no case"),
]


@pytest.mark.parametrize(("check", "fault", "message"), FAULTS)
def test_the_check_catches_the_fault(contract_of, monkeypatch, check, fault, message):
    # Classes made by a function cannot be pickled unless the module names them.
    monkeypatch.setattr(fault, "__reduce__", lambda self: (_again, (id(fault),)), raising=False)
    if fault is OpenFile:
        monkeypatch.delattr(fault, "__reduce__")
    contract = contract_of(DatasetContract, lambda root: fault())

    with pytest.raises(BrokenPromise, match=message):
        getattr(contract(), f"test_{check}")()


def _again(number):
    return next(one for one in (Right, *(row[1] for row in FAULTS)) if id(one) == number)()


@pytest.mark.parametrize(
    ("fault", "message"),
    [(AnyFolder, "was accepted"), (CrashesWithoutFolder, "raised FileNotFoundError")],
)
def test_a_folder_that_does_not_exist_must_be_refused(contract_of, fault, message):
    contract = contract_of(DatasetContract, lambda root: fault(root))

    with pytest.raises(BrokenPromise, match=f"a folder that does not exist {message}"):
        contract().test_a_missing_folder_is_refused()


def test_a_time_below_0_is_named_with_its_case(contract_of, verdicts, monkeypatch):
    monkeypatch.setattr(NegativeTime, "__reduce__", lambda self: (NegativeTime, ()))
    found = verdicts(contract_of(DatasetContract, lambda root: NegativeTime()))

    status, reason = found["outcomes_belong_to_cases_and_hold_events"]
    assert status == "broken"
    assert "'R00' has time -100; expected days > 0" in reason


def test_a_right_dataset_keeps_every_promise(contract_of, verdicts, monkeypatch):
    monkeypatch.setattr(Right, "__reduce__", lambda self: (_again, (id(Right),)))
    found = verdicts(contract_of(DatasetContract, lambda root: Right()))

    assert {name: one for name, one in found.items() if one[0] != "kept"} == {
        "a_missing_folder_is_refused": (
            "not applicable",
            "the dataset can be built without a folder",
        )
    }


def test_a_dataset_may_have_a_size_that_only_some_backbones_take(contract_of, monkeypatch):
    monkeypatch.setattr(Right, "natural_size", (90, 20, 7))

    contract_of(DatasetContract, lambda root: Right())().test_the_geometry_can_be_used()


def test_a_dataset_in_a_folder_is_checked_where_root_is_declared(
    contract_of, verdicts, monkeypatch, tmp_path
):
    monkeypatch.setattr(Folder, "__reduce__", lambda self: (Folder, (tmp_path,)))
    found = verdicts(contract_of(DatasetContract, lambda root: Folder(root), root=tmp_path))

    assert {status for status, _ in found.values()} == {"kept"}, found


def test_a_dataset_without_its_folder_says_that_root_is_needed(contract_of, verdicts):
    found = verdicts(contract_of(DatasetContract, lambda root: Folder(root)))

    assert found["a_missing_folder_is_refused"] == ("kept", "")
    del found["a_missing_folder_is_refused"]
    assert set(found.values()) == {
        ("not applicable", "the dataset needs a folder; declare `root` in a subclass")
    }


def test_missing_masks_and_endpoints_are_reported(contract_of, verdicts):
    without = type("Without", (Unmasked,), {"endpoints": ()})
    found = verdicts(contract_of(DatasetContract, lambda root: without()))

    assert found["masks_hold_zero_and_one"][1] == "the cases looked at declare no mask"
    assert found["no_clinical_variable_is_an_outcome"][1] == "the dataset declares no endpoint"


def test_the_installed_simulated_cohort_keeps_what_needs_no_image():
    contract = type("Npc", (DatasetContract,), {"component": "npc", "options": {"cases": 24}})

    contract().test_case_ids_are_unique_and_stable()
    contract().test_outcomes_belong_to_cases_and_hold_events()
    contract().test_an_unknown_endpoint_is_refused()
    contract().test_the_geometry_can_be_used()
