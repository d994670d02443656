"""Figures: what is drawn, that no two share ids, and that files for papers are written."""

from __future__ import annotations

import re

import numpy as np
import pytest

from mtsbench.report.case_figures import (
    _draw_slice,
    draw_slices,
    error_figure,
    example_figure,
)
from mtsbench.report.figures import (
    COLOURS,
    LINES,
    Picture,
    inline_svg,
    line_style,
    new_figure,
    panels,
    save_picture,
)
from mtsbench.report.numbers import p_equation
from mtsbench.report.score_figures import (
    cost_figure,
    difference_figure,
    fold_figure,
    leaderboard_figure,
)
from mtsbench.report.survival_figures import (
    auc_figure,
    calibration_figure,
    group_figure,
)
from mtsbench.slices import Slice

PLACES = ("best", "median", "worst")
ALL = [
    leaderboard_figure,
    difference_figure,
    fold_figure,
    group_figure,
    calibration_figure,
    auc_figure,
    error_figure,
    cost_figure,
    example_figure,
]


@pytest.fixture
def analysis(analysed):
    return analysed("poor", {"poor": 3.0, "good": 0.5}, folds=3)


@pytest.mark.parametrize("draw", ALL)
def test_every_figure_is_drawn_with_its_words_and_data(draw, analysis):
    picture = draw(analysis)
    svg = inline_svg(picture)

    assert picture.title in svg
    assert picture.caption
    # Data leave lines, markers, texts or images beyond the axes themselves.
    drawn = [len(a.lines) + len(a.collections) + len(a.images) for a in picture.figure.axes]
    assert min(n for n, a in zip(drawn, picture.figure.axes, strict=True) if a.axison) > 0
    assert not re.search(r"nan[,\s]", svg)


def test_figures_of_one_page_share_no_ids(analysis):
    svgs = [inline_svg(draw(analysis)) for draw in (leaderboard_figure, fold_figure)]

    clips = [set(re.findall(r'<clipPath id="([^"]+)"', svg)) for svg in svgs]

    assert all(clips)
    assert not clips[0] & clips[1]


def test_a_label_cannot_break_out_of_the_svg():
    figure = new_figure(2, 2)
    figure.subplots().plot([1, 2])

    svg = inline_svg(Picture(name="x", title='"><script>', caption="", figure=figure))

    assert "<script>" not in svg


def test_files_for_papers_are_written(tmp_path, analysis):
    save_picture(leaderboard_figure(analysis), tmp_path / "figures")

    assert (tmp_path / "figures/leaderboard.svg").read_text().startswith("<?xml")
    assert (tmp_path / "figures/leaderboard.pdf").read_bytes().startswith(b"%PDF")


def test_many_models_keep_lines_of_their_own():
    styles = [line_style(position) for position in range(len(COLOURS) * len(LINES))]

    assert len(set(styles)) == len(styles)


def test_left_over_panels_are_switched_off():
    figure = new_figure(4, 4)

    assert len(panels(figure, 4)) == 4
    assert [axes.axison for axes in figure.axes] == [True] * 4 + [False] * 2


def test_without_reference_masks_or_curves_their_figures_are_left_out(analysed):
    found = analysed(None, {"a": 1.0}, masks=False, curves=False)

    for draw in (difference_figure, error_figure, example_figure, calibration_figure):
        assert draw(found) is None


def test_a_mask_that_fills_the_slice_still_has_a_contour():
    axes = new_figure(2, 2).subplots()
    full = np.ones((5, 5), bool)
    one = Slice(images={"ct_hu": np.zeros((5, 5))}, true=full, predicted=~full, spacing=(1, 1))

    _draw_slice(axes, one, "ct_hu")

    (contour,) = axes.collections
    assert contour.get_paths()[0].get_extents().width == pytest.approx(5)


def test_example_patients_have_the_dice_of_the_very_mask_that_is_shown(analysed):
    found = analysed(None, {"a": 1.0}, repeats=2, seeds=(0, 1))
    (entry,) = found.entries

    titles = [axes.get_title() for axes in example_figure(found).figure.axes if axes.get_title()]

    assert [title.split("\n")[0] for title in titles] == [
        f"{place} by {what}" for what in ("Dice", "survival") for place in PLACES
    ]
    first = {
        case_id: dice
        for fold in entry.tested.folds
        if (fold.repeat, fold.seed) == (0, 0)
        for case_id, dice in zip(fold.outcomes.case_ids, fold.masks["dice"], strict=True)
    }
    shown = [(one.split("\n")[1], float(one.split()[-1])) for one in titles[:3]]
    assert [dice for _, dice in shown] == [round(first[case_id], 2) for case_id, _ in shown]
    assert [dice for _, dice in shown] == [
        round(float(np.quantile(list(first.values()), share)), 2) for share in (1, 0.5, 0)
    ]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("true", ""),
        ("predicted", "no true tumour: most predicted"),
        ("neither", "no tumour: middle slice"),
        ("unknown", "slice chosen by an older version"),
    ],
)
def test_a_slice_that_the_true_tumour_did_not_choose_says_so(reason, said):
    mask = np.ones((5, 5), bool)
    one = Slice(
        images={"ct_hu": np.zeros((5, 5))},
        true=mask,
        predicted=mask,
        spacing=(1, 1),
        chosen_by=reason,
    )

    (axes,) = draw_slices([("P1", one)]).axes

    assert axes.get_title() == "\n".join(filter(None, ("P1", said)))


def test_small_p_values_are_not_zero():
    assert p_equation(0.0341) == "p = 0.034"
    assert p_equation(1e-9) == "p < 0.001"
