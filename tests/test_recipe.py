"""How a run's training differs from the published recipe, told wherever its scores stand."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from mtsbench.composition import Composition, Part, TrainingSettings, WeightedLoss
from mtsbench.progress import Progress
from mtsbench.protocol import training_budget
from mtsbench.recipe import change_text, recipe_lines, recipe_of
from mtsbench.records import Recipe, RecipeChange, RunDescription

PUBLISHED = TrainingSettings(epochs=200, learning_rates=((0, 1e-4), (50, 5e-5)))


def composed(*tasks: str) -> Composition:
    return Composition(
        backbone=Part(name="b"),
        head=Part(name="h"),
        losses=tuple(WeightedLoss(loss=Part(name=task), task=task) for task in tasks),
        training=PUBLISHED,
    )


BOTH, SURVIVAL = composed("segmentation", "survival"), composed("survival")


def changes(composition, training, preset="demo", given=()):
    return {one.name: one for one in recipe_of(composition, training, preset, given).changes}


def test_every_setting_that_the_demo_changes_is_told_with_both_values():
    found = changes(BOTH, training_budget("demo", PUBLISHED))

    assert list(found) == [
        *("epochs", "steps_per_epoch", "learning_rates", "select_by"),
        *("segmentation_emphasis", "batch_norm_momentum"),
    ]
    assert (found["epochs"].published, found["epochs"].used) == (200, 12)
    assert {one.by for one in found.values()} == {"preset demo"}


def test_a_model_without_segmentation_has_no_emphasis_on_it():
    found = changes(SURVIVAL, training_budget("demo", PUBLISHED))

    assert list(found) == ["epochs", "steps_per_epoch", "learning_rates", "batch_norm_momentum"]


@pytest.mark.parametrize("preset", ["standard", "paper"])
def test_the_other_presets_train_as_published(preset):
    assert recipe_of(BOTH, training_budget(preset, PUBLISHED), preset) == Recipe(changes=())


def test_what_the_user_set_is_told_apart_from_the_preset():
    training = replace(training_budget("demo", PUBLISHED), epochs=3)

    found = changes(BOTH, training, given=("epochs",))

    assert (found["epochs"].by, found["steps_per_epoch"].by) == ("--set", "preset demo")
    lines = recipe_lines(recipe_of(BOTH, training, "demo", ("epochs",)))
    assert lines[0] == "--set changes the published recipe: epochs 3 instead of 200"
    assert lines[1].startswith("preset demo changes the published recipe: steps per epoch 10")


def test_a_user_who_sets_the_published_value_back_has_changed_nothing():
    training = replace(training_budget("demo", PUBLISHED), segmentation_emphasis=1.0)

    assert "segmentation_emphasis" not in changes(BOTH, training, given=("segmentation_emphasis",))


def test_a_model_that_the_engine_does_not_train_has_no_recipe():
    assert recipe_of(None, PUBLISHED, "demo") is None
    assert recipe_lines(None) == ()


@pytest.mark.parametrize(
    ("name", "published", "used", "said"),
    [
        ("epochs", 200, 12, "epochs 12 instead of 200"),
        (
            *("segmentation_emphasis", 1.0, 1000.0),
            "losses of segmentation multiplied by 1000 instead of 1",
        ),
        (
            *("learning_rates", [[0, 1e-4], [50, 5e-5]], [[0, 8e-3]]),
            "learning rates 0:0.008 instead of 0:0.0001,50:5e-05",
        ),
        ("batch_norm_momentum", None, 0.2, "batch norm momentum 0.2 instead of none"),
        ("balanced", True, False, "balanced false instead of true"),
    ],
)
def test_a_change_in_words(name, published, used, said):
    assert change_text(RecipeChange(name=name, published=published, used=used, by="x")) == said


def test_a_recipe_is_read_back_from_disk_as_it_was(make_description):
    description = make_description(
        recipe=recipe_of(BOTH, training_budget("demo", PUBLISHED), "demo")
    )

    assert RunDescription.model_validate_json(description.model_dump_json()) == description


def test_a_run_that_begins_says_how_it_departs_from_the_published_recipe(make_description):
    printed = io.StringIO()
    found = recipe_of(BOTH, training_budget("demo", PUBLISHED), "demo")

    Progress(Console(file=printed, width=80)).started(make_description(recipe=found), "cpu")

    assert "losses of segmentation multiplied by 1000 instead of 1" in " ".join(
        printed.getvalue().split()
    )
