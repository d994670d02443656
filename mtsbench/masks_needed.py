"""A model that learns from tumour masks, or is given them, needs one of every patient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtsbench.capabilities import knows_masks
from mtsbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mtsbench.data import Outcomes
    from mtsbench.experiment import Experiment
    from mtsbench.preprocessing import CaseCache

NAMED = 3


def check_masks(experiment: Experiment, outcomes: Outcomes) -> None:
    """Refuse a model that needs masks where the dataset says that some are missing.

    A dataset that cannot say it without reading its cases is checked when they are prepared.

    Raises:
        DataError: A case with an outcome has no mask; says how many, and names the first.
    """
    dataset = experiment.dataset
    if experiment.needs_masks and knows_masks(dataset):
        _refuse(
            experiment, outcomes, [one for one in outcomes.case_ids if not dataset.has_mask(one)]
        )


def check_prepared_masks(experiment: Experiment, outcomes: Outcomes, cache: CaseCache) -> None:
    """The same once all cases are in the cache, before the first trial.

    Raises:
        DataError: A case with an outcome has no mask; says how many, and names the first.
    """
    if experiment.needs_masks:
        _refuse(experiment, outcomes, [one for one in outcomes.case_ids if not cache.has_mask(one)])


def _refuse(experiment: Experiment, outcomes: Outcomes, without: Sequence[str]) -> None:
    if not without:
        return
    named = ", ".join(without[:NAMED]) + (", ..." if len(without) > NAMED else "")
    endpoint = outcomes.endpoint
    raise DataError(
        f"{experiment.model_name} needs the tumour mask of every patient here, but {len(without)} "
        f"of {len(outcomes)} with an outcome of {endpoint!r} have none: {named}. Add these masks, "
        f"or empty the {endpoint} cells of these patients so that they take no part, or choose a "
        "model and a test_centre that need no mask (`mtsbench list models`)"
    )
