"""The rules of a comparison: repeats, folds, seeds and the presets that set budget and geometry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, cast, get_args

from mtsbench.errors import OptionError

if TYPE_CHECKING:
    from mtsbench.composition import Composition, TrainingSettings
    from mtsbench.interfaces import Dataset

PresetName = Literal["demo", "standard", "paper"]
DEMO_VOXELS = 32


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How often and on which parts of a cohort a model is trained and tested.

    Attributes:
        repeats: Independent shuffles of the folds.
        folds: Test folds of one repeat; each case is tested once a repeat.
        validation_share: Part of the non-test cases kept for early stopping and tuning.
        split_seed: Decides the shuffles; the same for every model.
        seeds: Training seeds; each gives one trial per split.

    Raises:
        OptionError: Fewer than two folds, no repeat, no seed, or a share outside (0, 0.5].
    """

    repeats: int = 1
    folds: int = 5
    validation_share: float = 0.2
    split_seed: int = 2026
    seeds: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        if self.folds < 2:
            raise OptionError(f"folds must be at least 2, got {self.folds}")
        if self.repeats < 1:
            raise OptionError(f"repeats must be at least 1, got {self.repeats}")
        if not self.seeds or len(set(self.seeds)) != len(self.seeds) or min(self.seeds) < 0:
            raise OptionError(f"seeds must be one or more different numbers >= 0, got {self.seeds}")
        if not 0 < self.validation_share <= 0.5:
            raise OptionError(
                f"validation_share must be in (0, 0.5], got {self.validation_share:g}"
            )


def choose_preset(name: str, *, cuda: bool) -> PresetName:
    """The preset meant by `--preset`; `auto` is `standard` with a CUDA device, else `demo`.

    Raises:
        OptionError: No such preset.
    """
    if name == "auto":
        return "standard" if cuda else "demo"
    for preset in get_args(PresetName):
        if preset == name:
            return cast("PresetName", preset)
    raise OptionError(f"preset must be auto, demo, standard or paper, got {name!r}")


def default_protocol(preset: PresetName) -> Protocol:
    """Three folds for `demo`, which must finish in minutes; else three repeats of five.

    One repeat leaves the corrected test with 4 degrees of freedom. Three repeats find differences
    that are 30 % smaller, ten repeats only 8 % smaller ones than three (`docs/statistics.md`).
    """
    return Protocol(folds=3) if preset == "demo" else Protocol(repeats=3)


def geometry(
    preset: PresetName, dataset: Dataset, composition: Composition | None
) -> tuple[tuple[int, int, int], tuple[float, float, float]]:
    """Size (voxels) and spacing (mm), both (D, H, W), of the common grid.

    `demo` sees the dataset's natural field of view on a coarse grid, so that a model meets the
    same anatomy at every preset.
    """
    size, spacing = dataset.natural_size, dataset.natural_spacing
    if preset == "paper" and composition is not None:
        return composition.paper_size, composition.paper_spacing
    if preset == "demo":
        coarse = tuple(
            count * step / DEMO_VOXELS for count, step in zip(size, spacing, strict=True)
        )
        return (DEMO_VOXELS,) * 3, (coarse[0], coarse[1], coarse[2])
    return size, spacing


def training_budget(preset: PresetName, published: TrainingSettings) -> TrainingSettings:
    """The published recipe, or for `demo` one that fits two CPU cores and a few minutes.

    The demo keeps the published batch, losses and augmentation and shortens the schedule: fewer
    steps at a higher rate, running statistics that follow them, and the choice of the epoch by
    both tasks, because a demo's validation fold is too small for the C-index alone.

    It also stresses segmentation: soft Dice starts flat, and with equal weights the survival loss
    leads the shared layers for longer than a demo lasts (120 steps with DeepMTS on the simulated
    cohort: test Dice 0.01 with equal weights, 0.7 with this emphasis).
    """
    if preset != "demo":
        return published
    return replace(
        published,
        epochs=12,
        steps_per_epoch=10,
        learning_rates=((0, 8e-3), (5, 3e-3), (8, 1e-3), (10, 2e-4)),
        select_by="c-index+dice",
        segmentation_emphasis=1000.0,
        batch_norm_momentum=0.2,
    )
