"""What a trial warns of, kept with its record: a warning in a terminal is soon gone."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

OURS = "mtsbench"  # core and every first-party plugin log under names that begin so


class _Keeper(logging.Handler):
    """Keeps the text of each warning, and passes it on to the terminal."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.notes: dict[str, None] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a warning of ours once, in the order in which they came."""
        if record.name.startswith(OURS):
            self.notes[record.getMessage()] = None
        # With a handler of its own, logging no longer writes to the terminal by itself.
        if logging.lastResort is not None and len(logging.getLogger().handlers) == 1:
            logging.lastResort.handle(record)


@contextmanager
def noted() -> Iterator[dict[str, None]]:
    """Collect the warnings of core and first-party plugins while the block runs.

    Yields:
        The texts as keys, in order, each once.
    """
    keeper, root = _Keeper(), logging.getLogger()
    root.addHandler(keeper)
    try:
        yield keeper.notes
    finally:
        root.removeHandler(keeper)
