"""Cropped cases on disk: resampled once, read by every trial."""

from __future__ import annotations

import hashlib
import json
import logging
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, get_args

from mtsbench.errors import DamagedEntryError, DataError, MtsbenchError, OptionError
from mtsbench.preprocessing.centres import tumour_missing
from mtsbench.preprocessing.cropping import check_case, crop
from mtsbench.preprocessing.entries import (
    FORMAT,
    StoredCrop,
    delete_entry,
    read_entry,
    write_entry,
    write_no_tumour,
)
from mtsbench.preprocessing.settings import CentreRule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from mtsbench.data import Case
    from mtsbench.interfaces import Dataset
    from mtsbench.preprocessing.cropping import CroppedCase
    from mtsbench.preprocessing.settings import PreprocessingSettings

_log = logging.getLogger(__name__)


class CaseCache:
    """The crops of one dataset under one geometry, named for all that they depend on.

    A file's name is the SHA-256 of format version, case id, `case_fingerprint`, channels, size,
    spacing, centre rule and storage: a changed case is a new name, and datasets may share a folder.
    Fingerprints are taken anew by `prepare` and remembered for `read`. Checksums are compared the
    first time that an entry is used here, and not at every `read`.
    """

    def __init__(self, folder: Path, dataset: Dataset, settings: PreprocessingSettings) -> None:
        self.folder = folder
        self.dataset = dataset
        self.settings = settings
        self._fingerprints: dict[str, str] = {}
        self._checked: set[str] = set()

    def prepare(
        self,
        requests: Sequence[tuple[str, CentreRule]],
        *,
        workers: int,
        progress: Callable[[int, int], None],
    ) -> None:
        """Make every requested crop that is not there yet.

        A case is loaded once for all its missing crops. A `tumour` crop of a case without a
        tumour becomes a crop by the rule of held-out cases; `training_centre` tells which it is.

        Args:
            requests: Case id and centre rule; repeated ones count once.
            workers: Cases in flight, and so in memory, at any time. They run as threads, so
                `dataset.load` is called from several threads at once; loading, resampling and
                smoothing leave the interpreter lock, and no dataset needs to be pickled.
            progress: Called in this thread with the requests done and their total.

        Raises:
            OptionError: `workers` is below 1, or a rule does not exist.
            DataError: A case cannot be used. Cases under way are finished, no others begun, and
                what is done stays.
        """
        if workers < 1:
            raise OptionError(f"workers must be at least 1, got {workers}")
        rules: dict[str, list[CentreRule]] = {}
        for case_id, rule in dict.fromkeys(requests):
            if rule not in get_args(CentreRule):
                known = ", ".join(get_args(CentreRule))
                raise OptionError(f"no centre rule {rule!r}; expected one of {known}")
            rules.setdefault(case_id, []).append(rule)
        total, done = sum(map(len, rules.values())), 0
        self.folder.mkdir(parents=True, exist_ok=True)
        self._checked.clear()
        pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="prepare")
        try:
            tasks = {pool.submit(self._prepare_case, case_id, rules[case_id]) for case_id in rules}
            for task in as_completed(tasks):
                done += task.result()
                progress(done, total)
        finally:
            pool.shutdown(cancel_futures=True)

    def missing(self, requests: Sequence[tuple[str, CentreRule]]) -> tuple[str, ...]:
        """Cases that `prepare` would have to load for these requests. Nothing is written."""
        found: dict[str, None] = {}
        for case_id, rule in requests:
            self._fingerprints[case_id] = self.dataset.case_fingerprint(case_id)
            try:
                entry = self._stored(case_id, rule)
                if isinstance(entry, str):
                    entry = self._stored(case_id, self.settings.test_rule)
            except DamagedEntryError:
                entry = None
            if not isinstance(entry, StoredCrop):
                found[case_id] = None
        return tuple(found)

    def read(self, case_id: str, centre_rule: CentreRule) -> CroppedCase:
        """One crop; what is stored as it is used is memory-mapped and read-only.

        Raises:
            DataError: The crop was not prepared, its files are damaged, or the rule is `tumour`
                and the case has none.
        """
        entry = self._entry(case_id, centre_rule)
        if isinstance(entry, str):
            raise DataError(
                f"case {case_id!r} has {entry}, so it has no crop around its tumour; "
                "read the crop that training_centre names"
            )
        return entry.read()

    def forget(self, case_ids: Iterable[str]) -> None:
        """Delete the crops of these cases, as they are now."""
        for case_id in case_ids:
            if case_id in self._fingerprints:
                for rule in get_args(CentreRule):
                    delete_entry(self.folder, self._key(case_id, rule))

    def training_centre(self, case_id: str) -> CentreRule:
        """`tumour` if the case has one, else the rule of held-out cases.

        Raises:
            DataError: The case was not prepared with the rule `tumour`.
        """
        entry = self._entry(case_id, "tumour")
        return self.settings.test_rule if isinstance(entry, str) else "tumour"

    def has_mask(self, case_id: str) -> bool:
        """Whether a case has a mask, be it empty.

        Raises:
            DataError: The case was not prepared for training.
        """
        entry = self._entry(case_id, self.training_centre(case_id))
        return isinstance(entry, StoredCrop) and entry.mask is not None

    def _entry(self, case_id: str, rule: CentreRule) -> StoredCrop | str:
        if case_id not in self._fingerprints:
            self._fingerprints[case_id] = self.dataset.case_fingerprint(case_id)
        entry = self._stored(case_id, rule)
        if entry is None:
            raise DataError(
                f"case {case_id!r} was not prepared around its {rule!r} centre in {self.folder}, "
                "or has changed since; call prepare with this case and rule first"
            )
        return entry

    def _stored(self, case_id: str, rule: CentreRule) -> StoredCrop | str | None:
        key = self._key(case_id, rule)
        entry = read_entry(
            self.folder,
            key,
            case_id,
            self.dataset.channels,
            self.settings.size,
            self.settings.storage,
            whole=key not in self._checked,
        )
        if entry is not None:
            self._checked.add(key)
        return entry

    def _key(self, case_id: str, rule: CentreRule) -> str:
        parts = {
            "format": FORMAT,
            "case": case_id,
            "fingerprint": self._fingerprints[case_id],
            "channels": list(self.dataset.channels),
            "size": [int(count) for count in self.settings.size],
            "spacing": [float(step) for step in self.settings.spacing],
            "rule": rule,
        }
        if self.settings.storage != "float32":
            parts["storage"] = self.settings.storage
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def _prepare_case(self, case_id: str, rules: Sequence[CentreRule]) -> int:
        """Make what is missing of one case; the number of rules that are then done."""
        try:
            self._fingerprints[case_id] = self.dataset.case_fingerprint(case_id)
            case: Case | None = None
            for rule in rules:
                if not self._usable(case_id, rule):
                    case = case or self._load(case_id)
                    self._make(case, rule)
        except MtsbenchError as error:
            if repr(case_id) in str(error):
                raise
            raise DataError(f"case {case_id!r}: {error}") from error
        except Exception as error:
            raise DataError(
                f"case {case_id!r} cannot be prepared ({type(error).__name__}: {error}); "
                "repair or exclude the case, what is done is kept"
            ) from error
        return len(rules)

    def _load(self, case_id: str) -> Case:
        case = self.dataset.load(case_id)
        if case.case_id != case_id:
            raise DataError(
                f"case {case_id!r}: the dataset loaded case {case.case_id!r} instead; correct its "
                "`load`"
            )
        check_case(case, self.dataset.channels)
        return case

    def _usable(self, case_id: str, rule: CentreRule) -> bool:
        """Whether nothing needs to be made; a damaged entry is deleted."""
        try:
            entry = self._stored(case_id, rule)
        except DamagedEntryError as error:
            _log.warning("%s", error)
            delete_entry(self.folder, self._key(case_id, rule))
            return False
        if isinstance(entry, str):
            instead = self.settings.test_rule
            return instead != "tumour" and self._usable(case_id, instead)
        return entry is not None

    def _make(self, case: Case, rule: CentreRule) -> None:
        reason = tumour_missing(case) if rule == "tumour" else None
        instead = self.settings.test_rule
        if reason is not None and instead != "tumour":
            if not self._usable(case.case_id, instead):
                self._make(case, instead)
            write_no_tumour(self.folder, self._key(case.case_id, rule), reason)
            return
        cropped = crop(case, self.dataset.channels, rule, self.settings)
        key = self._key(case.case_id, rule)
        write_entry(self.folder, key, cropped, self.dataset.channels, self.settings.storage)
