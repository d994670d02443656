"""A model that needs masks is refused where one is missing, before anything is trained."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from mtsbench.errors import DataError
from mtsbench.experiment import Request
from mtsbench.interfaces import KnownMasks
from mtsbench.metrics.catalogue import build_metrics
from mtsbench.plan import plan_run
from mtsbench.progress import Progress
from mtsbench.runner import RunOptions, run

MASKS = frozenset({"image", "training-masks"})
REFUSED = (
    r"uptake needs the tumour mask of every patient here, but 4 of 24 with an outcome of 'pfs' "
    r"have none: T03, T07, T11, \.\.\.\. Add these masks, or empty the pfs cells of these patients"
)
WITHOUT = ("T03", "T07", "T11", "T15")


@pytest.fixture
def cohort(tiny):
    """Makes what builds a cohort without some masks; it tells so before loading if `tells`."""

    def make(without=WITHOUT, *, tells=True, followed=24):
        class Incomplete(tiny.TinyDataset):
            loaded = 0

            def load(self, case_id):
                type(self).loaded += 1
                case = super().load(case_id)
                return replace(case, mask=None) if case_id in without else case

            def outcomes(self, endpoint):
                known = super().outcomes(endpoint)
                return known.subset(
                    [one for one in known.case_ids if followed == 24 or one not in without]
                )

            def fingerprint(self):
                return f"{super().fingerprint()} {without} {followed}"

            def case_fingerprint(self, case_id):
                return f"{super().case_fingerprint(case_id)} {case_id in without}"

        class Telling(Incomplete):
            def has_mask(self, case_id):
                return case_id not in without

        return lambda root: (Telling if tells else Incomplete)(24)

    return make


def request(**changes) -> Request:
    facts = {"model": "uptake", "dataset": "tiny", "preset": "demo", "device": "cpu"}
    return Request(**{**facts, **changes})


def carry_out(planned, components, tmp_path) -> None:
    options = RunOptions(
        cache_folder=tmp_path / "cache",
        workers=1,
        save_masks=False,
        progress=Progress(Console(file=StringIO())),
    )
    run(planned.experiment, planned.splits, build_metrics(components), planned.store, options)


def test_missing_masks_are_refused_at_planning_without_loading_a_case(tiny, cohort, tmp_path):
    build = cohort()

    with pytest.raises(DataError, match=REFUSED):
        plan_run(request(), tiny.components(needs=MASKS, dataset=build), tmp_path)

    assert isinstance(build(None), KnownMasks)
    assert type(build(None)).loaded == 0
    assert not list(tmp_path.iterdir())


def test_a_dataset_that_cannot_tell_is_refused_when_its_cases_are_prepared(tiny, cohort, tmp_path):
    components = tiny.components(needs=MASKS, dataset=cohort(tells=False))
    planned = plan_run(request(), components, tmp_path)

    with pytest.raises(DataError, match=REFUSED):
        carry_out(planned, components, tmp_path)

    assert not list(planned.store.folder.glob("trials/*"))


@pytest.mark.parametrize("tells", [True, False])
def test_patients_whose_outcome_is_emptied_need_no_mask(tiny, cohort, tmp_path, tells):
    """The advice of the message, followed."""
    components = tiny.components(needs=MASKS, dataset=cohort(tells=tells, followed=20))
    planned = plan_run(request(), components, tmp_path)

    carry_out(planned, components, tmp_path)

    assert plan_run(request(), components, tmp_path).todo == 0


def test_complete_masks_and_models_that_need_none_are_planned(tiny, cohort, tmp_path):
    assert plan_run(request(), tiny.components(dataset=cohort()), tmp_path).todo == 3
    complete = tiny.components(needs=MASKS, dataset=cohort(()))
    assert plan_run(request(), complete, tmp_path).todo == 3


def test_a_crop_around_the_true_mask_of_test_cases_needs_all_of_them(tiny, cohort, tmp_path):
    around = request(settings={"preprocessing.test_centre": "mask"})

    with pytest.raises(DataError, match=REFUSED):
        plan_run(around, tiny.components(dataset=cohort()), tmp_path)


def test_a_model_that_needs_no_mask_sees_all_of_a_part_or_none(tiny, cohort, tmp_path):
    """Some with and some without stopped every network, one that does not segment as well."""
    seen = {}

    class Sees(tiny.UptakeModel):
        def fit(self, train, validation, context):
            for name, part in (("train", train), ("validation", validation)):
                shown = [part.cohort[row].mask is not None for row in range(len(part))]
                without = [one in WITHOUT for one in part.cohort.case_ids]
                seen.setdefault(name, []).append((set(shown), any(without)))
            super().fit(train, validation, context)

    components = tiny.components(dataset=cohort(), model=lambda: Sees(""))
    planned = plan_run(request(), components, tmp_path)

    carry_out(planned, components, tmp_path)

    assert plan_run(request(), components, tmp_path).todo == 0
    parts = [*seen["train"], *seen["validation"]]
    assert len(parts) == 6
    assert all(shown == {not lacks} for shown, lacks in parts)
    assert {lacks for _, lacks in parts} == {True, False}
