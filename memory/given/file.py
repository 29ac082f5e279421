"""Reads a file that a person named, and no more of it than was agreed: a device such as /dev/zero has no end.
May touch: that file. Does not promise: that a pipe nobody writes to ever answers.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path

MOST_BYTES = 64 * 1024 * 1024


def read_given(file: Path, most: int = MOST_BYTES) -> bytes:
    """All bytes of a file, of a pipe too (`<(…)`). Raises OSError: what open() raises, and EFBIG above `most` bytes."""
    with file.open("rb") as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            most = min(most, MOST_BYTES)
        data = opened.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it is longer than {most:,} bytes", str(file))
    return data


def read_given_text(file: Path, most: int = MOST_BYTES, *, encoding: str = "utf-8", errors: str = "strict") -> str:
    """The same as text, each end of a line as a newline. Raises UnicodeDecodeError beside what `read_given` raises."""
    return io.TextIOWrapper(io.BytesIO(read_given(file, most)), encoding=encoding, errors=errors).read()
