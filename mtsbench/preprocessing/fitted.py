"""Everything that preprocessing learnt from the training cases, and the cohorts it gives."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pydantic

from mtsbench.data import Cohort, PreparedCase
from mtsbench.errors import CheckpointError, DataError, MtsbenchError, OptionError
from mtsbench.preprocessing.clinical import ClinicalEncoder
from mtsbench.preprocessing.cropping import check_case
from mtsbench.preprocessing.normalisation import (
    CT,
    ChannelStatistics,
    learn_statistics,
    normalise,
)
from mtsbench.preprocessing.settings import PreprocessingSettings

if TYPE_CHECKING:
    from mtsbench.data import Case
    from mtsbench.interfaces import Dataset
    from mtsbench.preprocessing.cache import CaseCache
    from mtsbench.preprocessing.settings import CentreRule

STATE_VERSION: Literal[1] = 1
Role = Literal["train", "held-out"]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """Settings and all that was learnt; says the same after `to_json` and `from_json`.

    Attributes:
        channels: The image channels, in the order models see them.
        statistics: One for every channel but `ct_hu`.
        without_tumour: Training cases with an absent or empty mask, which are therefore cropped
            like held-out cases.

    Raises:
        DataError: Channels and statistics do not belong together.
    """

    settings: PreprocessingSettings
    channels: tuple[str, ...]
    statistics: tuple[ChannelStatistics, ...]
    clinical: ClinicalEncoder
    without_tumour: tuple[str, ...]

    def __post_init__(self) -> None:
        found = tuple(statistics.channel for statistics in self.statistics)
        expected = tuple(channel for channel in self.channels if channel != CT)
        if found != expected:
            raise DataError(
                f"statistics of the channels {', '.join(found) or 'none'}, expected "
                f"{', '.join(expected) or 'none'}; fit the preprocessing again"
            )

    @staticmethod
    def requests(
        dataset: Dataset, case_ids: Sequence[str], settings: PreprocessingSettings
    ) -> list[tuple[str, CentreRule]]:
        """What `CaseCache.prepare` must make for cases that are training in some splits only.

        Raises:
            DataError: The dataset has no such case.
        """
        _check_known(dataset, case_ids)
        rules: tuple[CentreRule, ...] = ("tumour", settings.test_rule)
        return [(case_id, rule) for case_id in case_ids for rule in dict.fromkeys(rules)]

    def held_out_requests(self, case_ids: Sequence[str]) -> list[tuple[str, CentreRule]]:
        """What `CaseCache.prepare` must make for cases that are only predicted."""
        return [(case_id, self.settings.test_rule) for case_id in case_ids]

    @classmethod
    def fit(
        cls,
        cache: CaseCache,
        dataset: Dataset,
        train_ids: Sequence[str],
        settings: PreprocessingSettings,
    ) -> Preprocessing:
        """Learn intensity statistics and the clinical encoding from these cases and no others.

        The order of `train_ids` changes nothing.

        Raises:
            DataError: There is no training case, one was not prepared, a channel is constant, or
                a clinical value cannot be used.
            OptionError: The cache was made with other settings.
        """
        if not train_ids:
            raise DataError("no training case to learn preprocessing from; give at least one")
        _check_known(dataset, train_ids)
        _check_settings(cache, settings)
        # In sorted order, because the last bits of a sum depend on it.
        centres = {case_id: cache.training_centre(case_id) for case_id in sorted(train_ids)}
        crops = (cache.read(case_id, rule).images for case_id, rule in centres.items())
        rows = {case_id: cache.read(case_id, rule).clinical for case_id, rule in centres.items()}
        clinical = ClinicalEncoder.fit(dataset.clinical_variables, rows)
        if clinical.left_out:
            _log.warning(
                "clinical variables left out, because their values do not vary among the %d "
                "training cases: %s",
                *(len(rows), ", ".join(clinical.left_out)),
            )
        return cls(
            settings=settings,
            channels=dataset.channels,
            statistics=learn_statistics(crops, dataset.channels),
            clinical=clinical,
            without_tumour=tuple(c for c, rule in centres.items() if rule != "tumour"),
        )

    def cohort(
        self,
        cache: CaseCache,
        dataset: Dataset,
        case_ids: Sequence[str],
        *,
        role: Role,
        with_mask: bool,
    ) -> Cohort:
        """The cases as a model sees them; each is read from the cache when asked for.

        Args:
            cache: Must hold the crops that the role needs, see `requests`.
            dataset: May have more channels than the training dataset, in any order.
            case_ids: Their order is the cohort's.
            role: `train` cases are cropped around their tumour, if they have one; `held-out`
                cases (validation, test) where `test_centre` says.
            with_mask: Whether models may see the true masks.

        Raises:
            DataError: The dataset lacks a case or a channel.
            OptionError: The cache was made with other settings.
        """
        _check_known(dataset, case_ids)
        _check_settings(cache, self.settings)
        missing = [channel for channel in self.channels if channel not in dataset.channels]
        if missing:
            raise DataError(
                f"preprocessing was fitted on channel {missing[0]!r}, but the dataset has only "
                f"{', '.join(dataset.channels)}; use a dataset with all of "
                f"{', '.join(self.channels)}"
            )
        return Cohort(
            case_ids=tuple(case_ids),
            channels=self.channels,
            clinical_features=self.clinical.feature_names,
            read=_CaseReader(preprocessing=self, cache=cache, role=role, with_mask=with_mask),
            read_native=_NativeReader(dataset=dataset, with_mask=with_mask),
            cache_folder=cache.folder,
        )

    def to_json(self) -> str:
        """The complete fitted state."""
        return _State(version=STATE_VERSION, preprocessing=self).model_dump_json(indent=2)

    @classmethod
    def from_json(cls, text: str) -> Preprocessing:
        """What `to_json` wrote.

        Raises:
            CheckpointError: The text is damaged, or of another version.
        """
        try:
            return _State.model_validate_json(text).preprocessing
        except pydantic.ValidationError as error:
            first = error.errors()[0]
            cause = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        except MtsbenchError as error:
            cause = str(error)
        raise CheckpointError(
            f"the stored preprocessing cannot be used ({cause}); this mtsbench reads version "
            f"{STATE_VERSION}. Restore the file or train the model again"
        )


class _State(pydantic.BaseModel):
    """What the JSON text holds."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    version: Literal[1]
    preprocessing: Preprocessing


@dataclass(frozen=True, kw_only=True)
class _CaseReader:
    """Gives one prepared case; a class rather than a closure so that it can be pickled."""

    preprocessing: Preprocessing
    cache: CaseCache
    role: Role
    with_mask: bool

    def __call__(self, case_id: str) -> PreparedCase:
        fitted, available = self.preprocessing, self.cache.dataset.channels
        rule = fitted.settings.test_rule
        if self.role == "train":
            rule = self.cache.training_centre(case_id)
        crop = self.cache.read(case_id, rule)
        positions = [available.index(channel) for channel in fitted.channels]
        image = np.asarray(crop.images)[positions]  # a copy, no longer memory-mapped
        normalise(image, fitted.channels, fitted.statistics, fitted.settings.ct_window)
        return PreparedCase(
            case_id=case_id,
            image=image,
            mask=np.array(crop.mask) if self.with_mask and crop.mask is not None else None,
            clinical=fitted.clinical.encode(case_id, crop.clinical),
            grid=crop.grid,
        )


@dataclass(frozen=True, kw_only=True)
class _NativeReader:
    """Gives one case as the dataset has it, checked like one that is prepared."""

    dataset: Dataset
    with_mask: bool

    def __call__(self, case_id: str) -> Case:
        case = self.dataset.load(case_id)
        check_case(case, self.dataset.channels)
        return case if self.with_mask else replace(case, mask=None)


def _check_known(dataset: Dataset, case_ids: Sequence[str]) -> None:
    known = set(dataset.case_ids)
    missing = [case_id for case_id in case_ids if case_id not in known]
    if missing:
        raise DataError(
            f"case {missing[0]!r} is not in the dataset, which has {len(known)} cases; "
            "check the case ids"
        )


def _check_settings(cache: CaseCache, settings: PreprocessingSettings) -> None:
    if cache.settings != settings:
        raise OptionError(
            f"the cache was made with {cache.settings}, but preprocessing uses {settings}; "
            "make the cache with the same settings"
        )
