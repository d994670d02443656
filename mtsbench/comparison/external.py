"""Frozen models on a cohort that none of them was trained on."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pydantic

from mtsbench.checksums import AGAIN, read_checked
from mtsbench.comparison.against_reference import SIGNIFICANT
from mtsbench.comparison.resampled_tests import detectable, holm
from mtsbench.errors import DamagedFileError, DataError, OptionError, UndefinedMetricError
from mtsbench.metrics.concordance import concordance, uno_c
from mtsbench.metrics.sampled_concordance import Contrast, contrast, frozen
from mtsbench.metrics.survival import follow_up
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
        interval: 95 %, by the jackknife; None with `undefined`.
        uno: Uno's C up to the cohort's tau; None where follow-up is too short.
        difference: From the reference; None for the reference itself.
        test: Of the difference; None with `undefined`, and for the reference.
        undefined: Why an interval or a test is missing.
        adjusted_p: Holm's, over the models that are tested.
        detectable: Smallest true difference found with a chance of 80 %, at the level that Holm's
            adjustment asks of the smallest p.
    """

    label: str
    c_index: float
    interval: tuple[float, float] | None
    uno: float | None
    difference: float | None
    test: Contrast | None
    undefined: tuple[str, ...]
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
    found = {label: frozen(concordance(risk, time, event)) for label, risk in risks.items()}
    scores = []
    for label, one in found.items():
        difference = None if label == reference else one.value - found[reference].value
        test, interval = None, None
        undefined: list[str] = []
        try:
            interval = one.interval()
        except UndefinedMetricError as error:
            undefined.append(str(error))
        try:
            test = None if difference is None else contrast(found[reference], one)
        except UndefinedMetricError as error:
            undefined.append(str(error))
        scores.append(
            ExternalScore(
                label=label,
                c_index=one.value,
                interval=interval,
                uno=_uno(risks[label], outcomes),
                difference=difference,
                test=test,
                undefined=tuple(dict.fromkeys(undefined)),
            )
        )
    return _adjusted(scores)


def _adjusted(scores: Sequence[ExternalScore]) -> tuple[ExternalScore, ...]:
    tests = [one.test for one in scores if one.test is not None]
    adjusted = iter(holm([test.p for test in tests]))
    return tuple(
        one
        if one.test is None
        else replace(
            one,
            adjusted_p=next(adjusted),
            detectable=detectable(
                one.test.standard_error,
                one.test.degrees_of_freedom,
                level=SIGNIFICANT / len(tests),
            ),
        )
        for one in scores
    )


def _uno(risk: NDArray[np.float64], outcomes: Outcomes) -> float | None:
    try:
        known = follow_up(outcomes)
        return uno_c(
            risk, outcomes.time, outcomes.event, tau=known.tau, censoring=known.censoring
        ).value
    except UndefinedMetricError:
        return None
