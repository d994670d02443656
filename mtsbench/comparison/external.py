"""Frozen models on a cohort that none of them was trained on."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pydantic

from mtsbench.checksums import AGAIN, DamagedFileError, read_checked
from mtsbench.comparison.against_reference import POWER_80
from mtsbench.comparison.resampled_tests import holm
from mtsbench.errors import DataError, OptionError
from mtsbench.metrics.concordance import concordance, uno_c
from mtsbench.metrics.contrast import Contrast, contrast
from mtsbench.metrics.survival import follow_up
from mtsbench.metrics.undefined import UndefinedMetricError
from mtsbench.records import RunDescription
from mtsbench.trial_files import MODEL, RISK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.data import Outcomes


@dataclass(frozen=True, kw_only=True, eq=False)
class ExternalScore:
    """One frozen model on the external cohort.

    Attributes:
        c_index: Harrell's.
        interval: 95 %, by the infinitesimal jackknife.
        uno: Uno's C up to the cohort's tau; None where follow-up is too short.
        difference: From the reference, with its test; None for the reference, or where both order
            every pair alike.
        adjusted_p: Holm's, over the models that are tested.
        detectable: Smallest true difference found with a chance of 80 %.
    """

    label: str
    c_index: float
    interval: tuple[float, float]
    uno: float | None
    difference: Contrast | None
    adjusted_p: float | None = None
    detectable: float | None = None


def read_risks(folder: Path, outcomes: Outcomes, fingerprint: str) -> NDArray[np.float64]:
    """(N,) risks that `mtsbench predict` wrote, in the order of the outcomes.

    Args:
        folder: What `predict --out` named.
        outcomes: Of the external cohort.
        fingerprint: Of the external dataset.

    Raises:
        DataError: No predictions are there, they are not what was written, a patient with an
            outcome has none or is there twice, a risk is not finite, or the model was trained on
            this very dataset.
    """
    path = folder / RISK
    for file in (path, folder / MODEL):
        if not file.exists():
            raise DataError(
                f"{file} does not exist; name a folder that `mtsbench predict --out` wrote"
            )
    try:
        table = pd.read_csv(io.BytesIO(read_checked(path)), dtype={"case_id": str})
        trained = RunDescription.model_validate_json(read_checked(folder / MODEL))
    except DamagedFileError as error:
        cause = str(error).removesuffix(AGAIN)
        raise DataError(f"{cause}run `mtsbench predict` again") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, pydantic.ValidationError) as error:
        cause = str(error).splitlines()[0]
        raise DataError(f"{folder} is damaged ({cause}); run `mtsbench predict` again") from error
    if trained.question["fingerprint"] == fingerprint:
        raise DataError(
            f"{folder}: the model was trained on this very dataset, so it is not external; use "
            "`mtsbench compare` for cross-validated runs"
        )
    if table["case_id"].duplicated().any():
        twice = table["case_id"][table["case_id"].duplicated()].iloc[0]
        raise DataError(f"{path}: case {twice!r} appears twice; run `mtsbench predict` again")
    risk = table.set_index("case_id")["risk"].reindex(list(outcomes.case_ids))
    missing = risk.index[~np.isfinite(risk)]
    if len(missing):
        raise DataError(
            f"{path}: no finite risk for {len(missing)} of {len(outcomes)} patients with an "
            f"outcome, the first is {missing[0]!r}; predict the whole cohort"
        )
    return risk.to_numpy(np.float64)


def compare_external(
    risks: Mapping[str, NDArray[np.float64]], outcomes: Outcomes, reference: str
) -> tuple[ExternalScore, ...]:
    """Every frozen model on its own, and against the reference by the jackknife contrast.

    No model is fitted again, so the patients' sampling is all the uncertainty there is, and the
    contrast is the test. Censoring is estimated from this cohort.

    Args:
        risks: Label to (N,) risks in the order of the outcomes.
        outcomes: Of the external cohort.
        reference: A label, declared before looking.

    Raises:
        OptionError: No such label.
        UndefinedMetricError: No pair of patients is comparable.
    """
    if reference not in risks:
        raise OptionError(
            f"--reference {reference!r} is none of the models; choose one of {', '.join(risks)}"
        )
    time, event = outcomes.time, outcomes.event
    found = {label: concordance(risk, time, event) for label, risk in risks.items()}
    first = found[reference]
    scores = []
    for label, one in found.items():
        difference: Contrast | None = None
        if label != reference:
            try:
                difference = contrast((first.value, one.value), (first.influence, one.influence))
            except UndefinedMetricError:
                difference = None  # the same order of all pairs: no difference to test
        scores.append(
            ExternalScore(
                label=label,
                c_index=one.value,
                interval=one.interval(),
                uno=_uno(risks[label], outcomes),
                difference=difference,
                detectable=None if difference is None else POWER_80 * difference.standard_error,
            )
        )
    adjusted = iter(holm([one.difference.p for one in scores if one.difference is not None]))
    return tuple(
        one if one.difference is None else replace(one, adjusted_p=next(adjusted)) for one in scores
    )


def _uno(risk: NDArray[np.float64], outcomes: Outcomes) -> float | None:
    try:
        known = follow_up(outcomes)
        return uno_c(
            risk, outcomes.time, outcomes.event, tau=known.tau, censoring=known.censoring
        ).value
    except UndefinedMetricError:
        return None
