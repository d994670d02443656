"""The hashes that name things: a method, a trial, a run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping


def digest(parts: Mapping[str, object]) -> str:
    """sha256 of the canonical JSON of some parts, hexadecimal."""
    return hashlib.sha256(
        json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()


def trial_key(
    question: Mapping[str, object], method: Mapping[str, object], split_sha256: str, seed: int
) -> str:
    """The key of a trial: same key, same work.

    Args:
        question: What two runs must share to be comparable, apart from the splits.
        method: What answers it.
        split_sha256: Of the trial's split.
        seed: Of its fit.
    """
    return digest({"question": question, "method": method, "split": split_sha256, "seed": seed})
