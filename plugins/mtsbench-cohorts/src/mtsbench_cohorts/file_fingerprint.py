"""What identifies the content of image files without reading every voxel."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from mtsbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

GZIP_MAGIC = b"\x1f\x8b"
GZIP_TRAILER = 8


def fingerprint_files(root: Path, paths: Iterable[Path]) -> str:
    """sha256, hexadecimal, over each file's path below `root`, size and content mark.

    The order of `paths` does not matter, nor where `root` lies.

    Raises:
        DataError: A file cannot be read; names it.
    """
    lines = sorted(f"{path.relative_to(root).as_posix()}\t{content_mark(path)}\n" for path in paths)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def content_mark(path: Path) -> str:
    """Size and checksum of one file.

    A gzip file carries the CRC-32 and the length of what it holds in its last eight bytes, so
    gigabytes of images need no reading. All other files are hashed, and so are gzip files that
    end in an empty member (as bgzip writes them), whose trailer says nothing of their content.

    Raises:
        DataError: The file cannot be read; names it.

    Source: RFC 1952, section 2.3.1 (members: CRC32, ISIZE).
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            if file.read(2) == GZIP_MAGIC and size > GZIP_TRAILER:
                file.seek(-GZIP_TRAILER, 2)
                trailer = file.read()
                if any(trailer[4:]):
                    return f"{size}\tgzip:{trailer.hex()}"
            file.seek(0)
            return f"{size}\tsha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise DataError(
            f"cannot read {path}: {error.strerror or error}; "
            "check that the file exists and that you may read it"
        ) from error
