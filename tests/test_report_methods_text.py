from __future__ import annotations

from mtsbench.report.checklists import checklist
from mtsbench.report.methods_text import limits, methods_paragraph


def test_the_paragraph_holds_the_numbers_of_the_comparison(analysed):
    found = analysed("a", {"a": 1.0, "b": 2.0, "c": 2.0}, folds=5, repeats=2, seeds=(0, 1))

    text = methods_paragraph(found)

    for part in (
        "3 models were compared on 90 cases",
        f"{found.description.events} events",
        "2 repeats of 5-fold cross-validation",
        "2 training seeds",
        "20% of the cases outside",
        f"tau = {found.description.tau:.0f} days",
        "compared with a, declared before looking",
        "over 2 comparisons",
        "The cohort is simulated.",
    ):
        assert part in text


def test_without_a_reference_the_paragraph_says_that_nothing_was_tested(analysed):
    text = methods_paragraph(analysed(None, {"a": 1.0}))

    assert text.endswith("No reference was declared, so no difference was tested.")


def test_limits_name_what_this_comparison_lacks(analysed):
    only = {"b": {"given_mask": True}}
    said = " ".join(limits(analysed("a", {"a": 1.0, "b": 2.0}, only=only)))

    for part in ("One training seed", "One repeat", "Preset demo", "simulated", "true tumour mask"):
        assert part in said
    more = " ".join(limits(analysed("c", {"c": 1.0, "d": 2.0}, repeats=2, seeds=(0, 1))))
    for part in ("One training seed", "One repeat", "true tumour mask"):
        assert part not in more


def test_the_checklist_says_who_answers_each_item(analysed):
    rows = {row[0]: row for row in checklist(analysed(None, {"a": 1.0})).rows}

    assert rows["TRIPOD+AI 10"][3].startswith("90 cases, ")
    assert {row[2] for row in rows.values()} == {"run", "authors"}
    assert rows["CLAIM software"][3] == "python 3.12, torch 2.13.0"
