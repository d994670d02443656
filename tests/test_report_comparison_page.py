"""The page of a comparison, read as text and, where Chromium is installed, looked at."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess

import numpy as np
import pytest

from mtsbench.comparison.analysis import analyse
from mtsbench.comparison.comparable import read_run
from mtsbench.comparison.questions import by_dataset
from mtsbench.report.across_datasets import differences_by_model
from mtsbench.report.comparison_page import write_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FIGURES = 9


@pytest.fixture
def page(analysed, tmp_path):
    found = analysed("poor", {"poor": 3.0, "good": 0.5})
    return write_report([found], tmp_path / "out")


def test_the_page_is_one_file_that_loads_nothing(page):
    html = page.read_text()

    assert html.count("<svg") == FIGURES
    assert "default-src 'none'" in html
    assert not re.search(r"""(src|href)=["'](?!#|data:)""", html.replace("xlink:href", "xhref"))
    assert not re.search(r"""xlink:href=["'](?!#|data:)""", html)
    assert not re.search(r"@import|url\((?!#|data:)", html)


def test_the_page_says_which_data_who_won_and_what_it_does_not_show(page):
    html = page.read_text()

    assert "npc (SIMULATED)" in html
    assert "Simulated data." in html
    assert "<strong>poor</strong>" in html
    assert "What this report does not show" in html
    assert "models were compared on 90 cases" in html
    assert "TRIPOD+AI" in html


def test_names_of_models_cannot_inject(analysed, tmp_path):
    html = write_report([analysed("<b>x", {"<b>x": 3.0})], tmp_path / "out").read_text()

    assert "<b>x" not in html
    assert "&lt;b&gt;x" in html


def test_tables_figures_and_methods_lie_beside_the_page(page):
    folder = page.parent / "npc-pfs"

    assert {path.suffix for path in (folder / "tables").iterdir()} == {".csv", ".md", ".tex"}
    assert len(list((folder / "figures").glob("*.pdf"))) == FIGURES
    assert len(list((folder / "figures").glob("*.svg"))) == FIGURES
    assert "models were compared" in (folder / "methods.md").read_text()


@pytest.mark.parametrize(
    ("reference", "masks", "images"), [("poor", True, True), (None, False, False)]
)
def test_every_claim_of_the_checklist_leads_to_something_on_the_page(
    analysed, tmp_path, reference, masks, images
):
    found = analysed(reference, {"poor": 3.0, "good": 0.5}, masks=masks)
    html = write_report([found], tmp_path / "out", images=images).read_text()
    identifiers = set(re.findall(r' id="npc-pfs-(?:table-|figure-)?([\w-]+)"', html))
    with (tmp_path / "out/npc-pfs/tables/checklist.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))

    for row in rows:
        assert row["answered by"] in {"run", "authors"}
        where = row["where"].split(", ") if row["where"] else []
        assert bool(where) == (row["answered by"] == "run")
        assert set(where) <= identifiers
    answered = {row["what"] for row in rows if row["answered by"] == "run"}
    assert ("failure cases" in answered) == images
    assert ("model comparison" in answered) == (reference is not None)


def test_one_dataset_with_two_endpoints_is_not_two_datasets(stored, tmp_path):
    stores = [
        stored(label=label, noise=noise, preset="demo", seed=seed, run=f"{seed}123abcd")
        for seed in (0, 1)  # another seed is another cohort: here it stands for another endpoint
        for label, noise in {"a": 2.0, "b": 0.5}.items()
    ]
    runs = [(read_run(store), store) for store in stores]
    analyses = [analyse(group, "a") for group in (runs[:2], runs[2:])]

    html = write_report(analyses, tmp_path / "out", images=False).read_text()

    assert "No mean over datasets: npc is there more than once" in html
    assert "figure-forest" not in html


def test_slices_of_patients_can_be_left_out(analysed, tmp_path):
    found = analysed("poor", {"poor": 3.0, "good": 0.5})

    html = write_report([found], tmp_path / "out", images=False).read_text()

    assert "Example patients" not in html
    assert html.count("<svg") == FIGURES - 1


def test_datasets_together_have_a_forest_plot_and_no_p_value(stored, tmp_path):
    stores = [
        stored(label=label, noise=noise, dataset=dataset, seed=seed, folds=5)
        for seed, dataset in enumerate(("npc", "hecktor"))
        for label, noise in {"a": 2.0, "b": 0.5}.items()
    ]
    runs = [(read_run(store), store) for store in stores]
    analyses = [analyse(group, "a") for group in by_dataset(runs)]

    html = write_report(analyses, tmp_path / "out").read_text()

    assert "2 datasets allow no p-value over datasets" in html
    assert "test of ranks needs 10 datasets" in html.lower()
    assert 'id="together-1-figure-forest"' in html
    assert (tmp_path / "out/figures/forest.pdf").is_file()
    assert (tmp_path / "out/tables/across-datasets.csv").is_file()


def test_what_one_dataset_leaves_out_is_told_where_datasets_stand_together(stored, tmp_path):
    stores = [
        stored(label=label, noise=noise, dataset=dataset, seed=seed, folds=6)
        for seed, dataset in enumerate(("npc", "hecktor"))
        for label, noise in {"a": 2.0, "b": 0.5}.items()
    ]
    shutil.rmtree(stores[3].trial_folder(stores[3].records()[1]))
    runs = [(read_run(store), store) for store in stores]
    analyses = [analyse(group, "a", on_missing="common-folds") for group in by_dataset(runs)]

    html = write_report(analyses, tmp_path / "out", images=False).read_text()

    together = html[html.index('<section id="together-1"') :]
    assert "hecktor: 1 of 6 folds was left out of every run" in together
    assert "npc: 1 of" not in together
    assert [len(one.comparisons["b"].differences.values) for one in analyses] == [6, 5]


def test_several_datasets_without_a_test_say_why_there_is_nothing_together(stored, tmp_path):
    stores = [
        stored(label=label, dataset=dataset) for dataset in ("npc", "hecktor") for label in "ab"
    ]
    runs = [(read_run(store), store) for store in stores]
    analyses = [analyse(group, "a") for group in by_dataset(runs)]

    html = write_report(analyses, tmp_path / "out").read_text()

    assert 'id="together-1"' in html
    assert "because no model has a tested difference on two or more datasets" in html


def test_two_variants_of_a_model_stay_two_over_several_datasets(stored):
    stores = [
        stored(
            label=label,
            noise=noise,
            dataset=dataset,
            seed=seed,
            options=options,
            run=run,
            folds=5,
        )
        for seed, dataset in enumerate(("npc", "hecktor"))
        for label, noise, options, run in (
            ("a", 2.0, {}, "00000000"),
            ("b", 0.5, {"width": 4}, f"1111111{seed}"),
            ("b", 4.0, {"width": 8}, f"2222222{seed}"),
        )
    ]
    runs = [(read_run(store), store) for store in stores]
    analyses = [analyse(group, "a") for group in by_dataset(runs)]

    found = differences_by_model(analyses)

    assert {model: list(tests) for model, tests in found.items()} == {
        "b width=4": ["npc (SIMULATED)", "hecktor (SIMULATED)"],
        "b width=8": ["npc (SIMULATED)", "hecktor (SIMULATED)"],
    }


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_shows_its_figures_in_a_browser_without_a_complaint(page, tmp_path, width):
    shot = tmp_path / "shot.png"
    done = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
            *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
            *("--disable-sync", f"--user-data-dir={tmp_path / 'profile'}", "--hide-scrollbars"),
            *("--enable-logging=stderr", f"--window-size={width},9000", f"--screenshot={shot}"),
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert "CONSOLE" not in done.stderr
    assert shot.is_file(), done.stderr[-500:]
    import matplotlib.image

    pixels = matplotlib.image.imread(shot)[..., :3]
    # The palette's blue and orange are in the figures only: empty ones would have none.
    for colour in ((0, 0x72, 0xB2), (0xD5, 0x5E, 0)):
        near = np.abs(pixels - np.array(colour) / 255).max(axis=2) < 0.05
        assert near.sum() > 500
        rows = np.flatnonzero(near.any(axis=1))
        assert rows[-1] - rows[0] > 2000
