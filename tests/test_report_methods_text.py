from __future__ import annotations

from dataclasses import replace

from mtsbench.records import Recipe, RecipeChange
from mtsbench.report.checklists import checklist
from mtsbench.report.methods_text import limits, methods_paragraph
from mtsbench.report.recipe_text import settings_table


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
    shown = ("methods", "settings", "runs", "leaderboard", "calibration")
    rows = {row[:2]: row[2:] for row in checklist(analysed(None, {"a": 1.0}), shown).rows}

    who, where, answer = rows["TRIPOD+AI 10", "sample size"]
    assert (who, where) == ("run", "methods")
    assert answer.startswith("90 cases, ")
    assert {row[0] for row in rows.values()} == {"run", "authors"}
    assert rows["CLAIM software", "software and settings"] == (
        *("run", "settings, runs"),
        "python 3.12, torch 2.13.0",
    )


def test_nothing_is_claimed_that_the_report_does_not_show(analysed):
    rows = {row[:2]: row[2:] for row in checklist(analysed(None, {"a": 1.0}), ()).rows}

    assert {row[0] for row in rows.values()} == {"authors"}
    assert rows["CLAIM failures", "failure cases"][2] == "not in this report: examples"
    assert rows["TRIPOD+AI 12e", "model comparison"][2] == "not in this report: differences"


def with_recipe(analysis, **recipes):
    """The analysis with the recipes of some of its runs, by model."""
    entries = tuple(
        replace(
            one,
            run=replace(
                one.run,
                description=one.run.description.model_copy(
                    update={"recipe": recipes.get(one.run.label)}
                ),
            ),
        )
        for one in analysis.entries
    )
    return replace(analysis, entries=entries)


def demo(*names):
    values = {"segmentation_emphasis": (1.0, 1000.0), "epochs": (200, 12)}
    return Recipe(
        changes=tuple(
            RecipeChange(name=n, published=values[n][0], used=values[n][1], by="preset demo")
            for n in names
        )
    )


def test_what_the_preset_changes_of_the_published_recipes_is_told_with_the_models(analysed):
    both, one = demo("epochs", "segmentation_emphasis"), demo("epochs")
    found = with_recipe(analysed("a", {"a": 1.0, "b": 2.0, "c": 2.0}), a=both, b=both, c=one)

    text = methods_paragraph(found)

    assert (
        "Preset demo changes the published recipe: epochs 12 instead of 200, losses of "
        "segmentation multiplied by 1000 instead of 1 (models: a, b)."
    ) in text
    assert "recipe: epochs 12 instead of 200 (models: c)." in text
    said = [one for one in limits(found) if "multiplied by 1000" in one]
    assert len(said) == 1
    assert "(models: a, b)" in said[0]


def test_models_trained_as_published_have_no_sentence_on_their_recipe(analysed):
    found = with_recipe(analysed("a", {"a": 1.0, "b": 2.0}), a=demo())

    assert "published recipe" not in methods_paragraph(found)
    assert not any("multiplied" in one for one in limits(found))


def test_options_and_settings_are_listed_once_where_models_share_them(analysed):
    found = analysed(None, {"a": 1.0, "b": 2.0}, only={"b": {"options": {"width": 4, "depth": 2}}})

    assert settings_table(found).rows == (
        ("width", "8", "a"),
        ("width", "4", "b"),
        ("depth", "2", "b"),
        ("version of mtsbench", "0.1.0", "all"),
    )


def test_what_trials_warned_of_is_told_with_the_number_of_trials_and_cut_off(analysed):
    found = analysed(None, {"a": 1.0})
    entry = found.entries[0]
    many = tuple(f"note {number}" for number in range(8))
    first = entry.run.records[0].model_copy(update={"notes": ("all", *many)})
    others = [one.model_copy(update={"notes": ("all",)}) for one in entry.run.records[1:]]
    noted = replace(entry, run=replace(entry.run, records=(first, *others)))

    told = limits(replace(found, entries=(noted,)))

    assert "a, 3 of 3 trials: all." in told
    assert "a, 1 of 3 trials: note 0." in told
    assert "a: 4 further warnings, listed on the page of the run." in told
