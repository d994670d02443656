"""A model that leaks, in each way, and the check of the audit that names it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from mtsbench.audit.altered import AlteredDataset, Twin
from mtsbench.audit.leakage import AuditOptions, audit, permutations
from mtsbench.experiment import Request, resolve
from mtsbench.preprocessing import Preprocessing

PLANTED = "planted twins are found"
TWICE = "no patient appears twice"
ASKED = "fit and predict ask for no outcome"
READ = "fit reads no test case"
SCRAMBLED = "scrambled test outcomes change no risk"
RENAMED = "renamed cases, cut off from the dataset, keep their risks"
STATISTICS = "preprocessing learns nothing from test cases"
CHANGED = "changed test cases change no other risk"
PERMUTED = "permuted outcomes give chance"
CHECKS = [PLANTED, TWICE, ASKED, READ, SCRAMBLED, RENAMED, STATISTICS, CHANGED, PERMUTED]


@pytest.fixture
def experiment(tiny):
    """Of a model, on 36 cases in memory."""

    def make(model, dataset=None):
        request = Request(
            model="uptake", dataset="tiny", preset="demo", settings={"dataset.cases": "36"}
        )
        resolved = resolve(request, tiny.components())
        return replace(resolved, new_model=model, dataset=dataset or resolved.dataset)

    return make


@pytest.fixture
def audited(experiment, tmp_path):
    """Check to finding."""

    def run(model, dataset=None, **options):
        options = AuditOptions(cache_folder=tmp_path, workers=2, **{"permutations": 2, **options})
        return {one.check: one for one in audit(experiment(model, dataset), options)}

    return run


def failed(findings):
    return {name for name, one in findings.items() if one.status != "passed"}


@pytest.fixture
def honest(tiny):
    return lambda: tiny.UptakeModel("")


@pytest.fixture
def cheat(tiny):
    """Makes a model that changes what an honest one does."""

    def make(risk=None, fit=None):
        class Cheat(tiny.UptakeModel):
            def fit(self, train, validation, context):
                super().fit(train, validation, context)
                if fit is not None:
                    fit(self, train)

            def predict(self, cohort):
                found = super().predict(cohort)
                return (
                    found if risk is None else replace(found, risk=risk(self, cohort, found.risk))
                )

        return lambda: Cheat("")

    return make


def hidden(cohort):
    """The way from what a model is given to the dataset."""
    return cohort.read.cache.dataset


def told(outcomes, cohort):
    return -outcomes.subset(cohort.case_ids).time


def test_an_honest_model_passes_every_check(audited, honest):
    found = audited(honest)

    assert list(found) == CHECKS
    assert failed(found) == set(), found
    assert found[TWICE].measured == "36 images and 36 rows: no two are alike"
    assert found[CHANGED].measured == "30 risks are the same"
    assert "(2 permutations of 3 folds)" in found[PERMUTED].measured


def test_asking_the_dataset_behind_a_cohort_is_found(audited, cheat):
    model = cheat(risk=lambda self, cohort, risk: told(hidden(cohort).outcomes("pfs"), cohort))

    found = audited(model)

    assert found[ASKED].status == "failed"
    assert found[ASKED].measured.startswith("asked for outcomes at test_audit_leakage.py:")
    assert failed(found) == {ASKED, SCRAMBLED, RENAMED, PERMUTED}
    assert found[PERMUTED].measured.startswith("C 1.000, 99% interval")
    assert "moves by" in found[SCRAMBLED].measured


def test_asking_while_fitting_leaves_open_what_else_fit_reads(audited, cheat):
    found = audited(cheat(fit=lambda self, train: hidden(train.cohort).outcomes("pfs")))

    assert failed(found) == {ASKED, READ, RENAMED}
    assert (found[READ].status, found[READ].measured) == ("undecided", "fit ended early")


def test_swallowing_the_refusal_does_not_help(audited, cheat):
    def risk(self, cohort, risk):
        try:
            return told(hidden(cohort).outcomes("pfs"), cohort)
        except Exception:
            return risk

    assert {ASKED, SCRAMBLED, PERMUTED} <= failed(audited(cheat(risk=risk)))


def test_building_the_dataset_again_is_found(audited, cheat, tiny):
    def risk(self, cohort, risk):
        return told(tiny.TinyDataset(36).outcomes("pfs"), cohort)

    assert failed(audited(cheat(risk=risk))) == {ASKED, RENAMED}


def test_outcomes_that_lie_about_in_a_global_are_found(audited, cheat, tiny):
    dataset = tiny.TinyDataset(36)
    known = dict(zip(dataset.case_ids, -dataset.outcomes("pfs").time, strict=True))

    found = audited(
        cheat(risk=lambda self, cohort, risk: np.array([known[one] for one in cohort.case_ids]))
    )

    assert failed(found) == {RENAMED}
    assert "the model fails: KeyError: 'sealed-" in found[RENAMED].measured


def test_a_name_that_is_looked_up_with_a_way_out_is_found(audited, cheat, tiny):
    dataset = tiny.TinyDataset(36)
    known = dict(zip(dataset.case_ids, -dataset.outcomes("pfs").time, strict=True))

    def risk(self, cohort, risk):
        return np.array(
            [known.get(one, own) for one, own in zip(cohort.case_ids, risk, strict=True)]
        )

    assert failed(audited(cheat(risk=risk))) == {RENAMED}


def test_a_private_attribute_of_the_dataset_is_found(audited, cheat, tiny):
    class Private(tiny.TinyDataset):
        def __init__(self):
            super().__init__(36)
            self.table = self.outcomes("pfs")

    def risk(self, cohort, risk):
        return told(getattr(hidden(cohort), "dataset", hidden(cohort)).table, cohort)

    found = audited(cheat(risk=risk), Private())

    assert failed(found) == {RENAMED}
    assert "'_SealedReader' object has no attribute 'cache'" in found[RENAMED].measured


def test_remembering_patients_from_fold_to_fold_is_found(audited, tiny):
    """They are known again by what they look like, so names do not matter."""

    class Remembers(tiny.UptakeModel):
        patients = {}

        def fit(self, train, validation, context):
            super().fit(train, validation, context)
            self.patients.update(zip(self.uptake(train.cohort), train.outcomes.time, strict=True))

        def predict(self, cohort):
            known = [-self.patients.get(one, 0.0) for one in self.uptake(cohort)]
            return replace(super().predict(cohort), risk=np.array(known))

        def uptake(self, cohort):
            return [
                cohort.read_native(one).images["pet_suv"].array.max() for one in cohort.case_ids
            ]

    found = audited(lambda: Remembers(""), permutations=4)

    assert PERMUTED in failed(found)
    assert ASKED not in failed(found)


def test_reading_test_cases_during_fit_is_found(audited, cheat):
    def fit(self, train):
        every = [train.cohort.read(one) for one in hidden(train.cohort).case_ids]
        self.scale = float(np.mean([one.image[0].mean() for one in every]))

    found = audited(cheat(fit=fit))

    assert found[READ].status == "failed"
    assert found[READ].measured.startswith("it read T")
    assert found[READ].measured.endswith(" more")
    assert failed(found) == {READ, CHANGED, RENAMED}


def test_standardising_the_cases_that_are_predicted_together_is_found(audited, cheat):
    found = audited(cheat(risk=lambda self, cohort, risk: risk - risk.mean()))

    assert failed(found) == {CHANGED}


def test_statistics_learnt_from_all_cases_are_found(audited, honest, monkeypatch):
    fit = Preprocessing.fit.__func__

    def of_all(cls, cache, dataset, train_ids, settings):
        return fit(cls, cache, dataset, dataset.case_ids, settings)

    monkeypatch.setattr(Preprocessing, "fit", classmethod(of_all))

    found = audited(honest)

    assert found[STATISTICS].status == "failed"
    assert found[STATISTICS].measured == "other statistics with 6 of 12 test cases changed"
    assert failed(found) == {STATISTICS, CHANGED}


@pytest.mark.parametrize(
    ("twin", "alike"),
    [
        (Twin(of="T03", image=True, row=False), "pet_suv"),
        (Twin(of="T03", image=False, row=True), "clinical row and outcome"),
    ],
)
def test_a_patient_who_is_there_twice_is_found(audited, honest, tiny, twin, alike):
    dataset = AlteredDataset(tiny.TinyDataset(36), twins={"T99": twin})

    found = audited(honest, dataset)

    assert failed(found) == {TWICE}
    assert f"T03 = T99 ({alike}" in found[TWICE].measured


def test_a_search_that_finds_no_planted_twin_is_told(audited, honest, monkeypatch):
    monkeypatch.setattr("mtsbench.audit.twins._alike", lambda found, what: [])

    found = audited(honest)

    assert failed(found) == {PLANTED}
    assert "(planted by image), " in found[PLANTED].measured
    assert found[PLANTED].measured.endswith("(planted by row): not found")


def test_a_model_whose_fits_differ_is_no_leak_but_undecided(audited, cheat):
    found = audited(
        cheat(risk=lambda self, cohort, risk: risk + np.random.default_rng().random(len(risk)))
    )

    for check in (SCRAMBLED, RENAMED, CHANGED):
        assert found[check].status == "undecided"
        assert found[check].measured.endswith("fits with one seed differ")


def test_a_fit_that_fails_on_permuted_outcomes_is_undecided(audited, cheat):
    def fit(self, train):
        if (np.diff(train.outcomes.time) > 0).any():
            raise FloatingPointError("no convergence")

    found = audited(cheat(fit=fit))

    assert found[PERMUTED].status == "undecided"
    assert found[PERMUTED].measured == "a fit failed: FloatingPointError: no convergence"


def test_a_model_that_cannot_be_fitted_at_all_is_no_finding(audited, cheat):
    def fit(self, train):
        raise ValueError("never")

    with pytest.raises(ValueError, match="never"):
        audited(cheat(fit=fit))


def test_nothing_of_the_changed_cases_stays_in_the_cache(audited, honest, tmp_path):
    audited(honest, permutations=1)
    before = sorted(path.name for path in tmp_path.rglob("*"))

    audited(honest, permutations=1)

    assert sorted(path.name for path in tmp_path.rglob("*")) == before
    assert len([name for name in before if name.endswith(".json")]) == 2 * 36


def test_a_network_is_audited_with_one_permutation(experiment, honest, audited, phantom, tmp_path):
    from mtsbench.engine.deep_model import DeepModel

    def network():
        return DeepModel(phantom.composition(), phantom.components(), "cpu")

    deep = replace(experiment(network), training=phantom.settings(epochs=1, steps_per_epoch=2))
    options = AuditOptions(cache_folder=tmp_path, workers=2)

    found = {one.check: one for one in audit(deep, options)}

    assert failed(found) == set(), found
    assert "(1 permutations of 3 folds)" in found[PERMUTED].measured
    assert permutations(experiment(honest), options) == 10


def test_what_is_done_is_told(audited, honest):
    said, seen = [], []

    audited(honest, watch=said.append, preparing=lambda done, total: seen.append((done, total)))

    assert "permutation 2 of 2, fold 3" in said
    assert "fitting with renamed cases" in said
    assert (36, 36) in seen
    assert any(later > earlier for earlier, later in pairwise(done for done, _ in seen))
