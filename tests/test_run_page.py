from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from mtsbench.checksums import write_checksums
from mtsbench.records import Recipe, RecipeChange, StoredScore
from mtsbench.report.run_page import write_run_page

LOADING_ATTRIBUTES = {"src", "href", "xlink:href", "srcset", "data", "poster", "action", "cite"}
EVIL = "<script>alert(1)</script><img src=https://evil.example/x onerror=alert(2)>"


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data

    def plain(self) -> str:
        return " ".join(self.text.split())


@pytest.fixture
def write(tmp_path):
    """Writes the logs of a run's trials, then its page."""

    def write_page(run, epochs=3, dice=True) -> str:
        for record in run.records:
            folder = tmp_path / "trials" / record.key[:16]
            folder.mkdir(parents=True, exist_ok=True)
            lines = [
                {"epoch": epoch, "loss": 1.0, "validation_c_index": 0.5 + epoch / 10}
                | ({"validation_dice": 0.3} if dice else {})
                for epoch in range(epochs)
            ]
            (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
            write_checksums(folder, record.key, folder.iterdir())
        path = write_run_page(run, tmp_path)
        assert path == tmp_path / "report.html"
        return path.read_text(encoding="utf-8")

    return write_page


def test_the_page_loads_nothing_from_anywhere(write, make_run, make_failure):
    html = write(make_run(failures=[make_failure()]))
    page = Page(html)

    loads = [value for name, value in page.attributes if name in LOADING_ATTRIBUTES]
    assert loads, "the curves refer to their own symbols, so some attributes must be found"
    assert all(value.startswith("#") for value in loads)
    assert not {"script", "link", "iframe", "object", "embed", "img"} & set(page.tags)
    assert not re.search(r"url\(\s*['\"]?(?!#)", html)
    assert "@import" not in html


def test_simulated_patients_are_announced(write, make_run, make_description):
    simulated = Page(write(make_run())).plain()
    assert "npc (SIMULATED) · pfs · preset demo" in simulated
    assert "Simulated data. No patient stands behind these numbers." in simulated

    real = write(make_run(make_description(simulated=False)))
    assert "simulated data" not in Page(real).plain().lower()
    assert "SIMULATED" not in real


def test_text_from_a_run_cannot_become_markup(write, make_run, make_description, make_failure):
    usual = make_description()
    description = make_description(
        name=EVIL,
        question={**usual.question, "dataset": EVIL, EVIL: EVIL},
        method={**usual.method, "options": {EVIL: EVIL}},
    )

    html = write(make_run(description, failures=[make_failure(error=EVIL)], label=EVIL))
    page = Page(html)

    assert "script" not in page.tags
    assert "img" not in page.tags
    assert not any(name.startswith("on") for name, _ in page.attributes)
    assert page.text.count(EVIL) >= 6


def test_scores_means_and_oracle_are_shown(write, make_run, make_record, make_description):
    undefined = {"harrell-c": StoredScore(value=None, reason="no pair")}
    records = (make_record(0), make_record(1, scores=undefined))

    text = Page(write(make_run(records=records))).plain()

    assert "trialtest caseseventsharrell-cdiceoracle harrell-c" in text
    assert "repeat 0, fold 0, seed 050240.7000.6000.800" in text
    assert "repeat 0, fold 1, seed 05024undefined–0.800" in text
    assert "mean ± SD0.700 (1/3)0.600 (1/3)0.800 ± 0.000 (2/3)" in text


def test_a_failed_trial_is_shown_with_its_reason(write, make_run, make_failure):
    page = Page(write(make_run(failures=[make_failure(2)])))

    assert "Trial 0.2 seed 0 failed: the training loss became nan" in page.plain()


def test_what_was_run_is_listed(write, make_run):
    text = Page(write(make_run())).plain()

    assert "runnpc-pfs-deepmts-demo-01234567" in text
    assert "options: width8" in text
    assert "protocol: seeds[0]" in text
    assert "torch2.13.0" in text
    assert "codeinstalled package" in text


@pytest.fixture
def emphasis():
    return RecipeChange(name="segmentation_emphasis", published=1.0, used=1000.0, by="preset demo")


def test_what_departs_from_the_published_recipe_is_listed(
    write, make_run, make_description, emphasis
):
    changed = make_description(recipe=Recipe(changes=(emphasis,)))
    text = Page(write(make_run(changed))).plain()

    assert "Changes from the published recipe" in text
    assert "settingpublishedthis runchanged by" in text
    assert "segmentation_emphasis1.01000.0preset demo" in text
    published = Page(write(make_run(make_description(recipe=Recipe(changes=()))))).plain()
    assert "None: the model was trained with the settings it was published with." in published
    assert "published recipe" not in Page(write(make_run())).plain()


def test_training_curves_are_drawn_for_what_was_logged(write, make_run):
    both, one = write(make_run()), write(make_run(), dice=False)

    assert both.count("<svg") == one.count("<svg") == 1
    assert ("validation Dice" in both, "validation Dice" in one) == (True, False)
    assert "validation C-index" in one


def test_a_method_without_epochs_has_no_curves(write, make_run):
    html = write(make_run(), epochs=0)

    assert "<svg" not in html
    assert "<h2>Training</h2>" not in html


def test_trials_of_which_only_some_have_epochs_can_be_drawn(write, make_run, make_record, tmp_path):
    write(make_run())
    folder = tmp_path / "trials" / make_record(2).key[:16]
    (folder / "log.jsonl").write_text("")
    write_checksums(folder, make_record(2).key, folder.iterdir())

    html = write_run_page(make_run(), tmp_path).read_text()

    assert html.count("<svg") == 1


def test_a_run_without_finished_trials_has_a_page(write, make_run, make_failure):
    text = Page(write(make_run(records=(), failures=[make_failure()]))).plain()

    assert "failed: the training loss became nan" in text


def test_the_same_run_gives_the_same_page(write, make_run):
    def without_ids(html: str) -> str:
        # matplotlib salts the ids of clip paths and markers.
        return re.sub(r"[mp][0-9a-f]{10}", "id", html)

    assert without_ids(write(make_run())) == without_ids(write(make_run()))


def test_what_trials_warned_of_is_listed(write, make_run, make_record):
    records = (make_record(0, notes=("a variable was left out",)), make_record(1))

    assert "a variable was left out" in write(make_run(records=records))
