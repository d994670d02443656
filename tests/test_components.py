from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtsbench.components import Component, ModelComponent
from mtsbench.errors import PluginError

GOOD = {
    "name": "deep-mts",
    "summary": "One line.",
    "build": dict,
    "reference": "https://doi.org/10.1109/JBHI.2022.3181791",
}


@pytest.mark.parametrize("name", ["deepmts", "resnet-3d", "timm:resnet18.a1_in1k", "a", "3d"])
def test_names_of_joined_lower_case_words_are_accepted(name):
    assert Component(**{**GOOD, "name": name}).name == name


@pytest.mark.parametrize("name", ["", "DeepMTS", "-a", "a-", "a--b", "a b", "a/b", "../a", "ä"])
def test_other_names_are_refused(name):
    with pytest.raises(PluginError, match=r"lower-case words joined by '-', got '.*'$"):
        Component(**{**GOOD, "name": name})


@given(st.text(max_size=8))
def test_an_accepted_name_is_always_one_safe_word(name):
    try:
        Component(**{**GOOD, "name": name})
    except PluginError:
        return
    assert name.strip() == name
    assert not set(name) & set("/\\ \n\t'\"<>&$,=")


@pytest.mark.parametrize(("summary", "length"), [("", 0), ("x" * 81, 81), ("two\nlines", 9)])
def test_a_summary_that_does_not_fit_one_line_is_refused(summary, length):
    with pytest.raises(PluginError, match=f"'deep-mts' needs a one-line summary .* got {length}"):
        Component(**{**GOOD, "summary": summary})
    assert Component(**{**GOOD, "summary": "x" * 80}).summary == "x" * 80


@pytest.mark.parametrize("reference", ["", "10.1109/JBHI", "ftp://example.org"])
def test_a_reference_that_is_no_url_is_refused(reference):
    with pytest.raises(PluginError, match=f"a DOI or other URL as reference, got '{reference}'"):
        Component(**{**GOOD, "reference": reference})


def test_a_model_gives_risk_and_needs_nothing_unless_it_says_so():
    model = ModelComponent(**GOOD)

    assert model.produces == {"risk"}
    assert not model.needs_mask_at_test
    assert not model.needs_gpu
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.needs_gpu = True
