"""Reads text from files nobody promised are text: encoding guessed, binary told apart, lines bounded.
May touch: descriptors it is handed. Standard library only, so that a child process starts fast.
Does not promise: the right guess; bytes that do not decode become U+FFFD.
"""

from __future__ import annotations

import codecs
import io
import os
from collections.abc import Iterator

SAMPLE = 8192
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip


def encoding_of(sample: bytes) -> str | None:
    """The encoding of a file that begins with `sample`, or None when it is not text.

    A byte-order mark decides; a NUL byte or over a tenth of control codes means binary; text that is not UTF-8 is
    read as cp1252, what spreadsheets on Windows write.
    """
    for mark, name in _MARKS:
        if sample.startswith(mark):
            return name
    if b"\0" in sample:
        return None
    odd = sum(byte < 9 or 13 < byte < 27 or 27 < byte < 32 for byte in sample)
    if odd * 10 > len(sample):
        return None
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)  # a character cut at the end of the sample is fine
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def open_text(descriptor: int, *, newline: str | None = None) -> io.TextIOWrapper | None:
    """A text stream over `descriptor` (which it then owns), or None (and closed) when the file is binary."""
    file = os.fdopen(descriptor, "rb", buffering=1 << 16)
    encoding = encoding_of(file.read(SAMPLE))
    if encoding is None:
        file.close()
        return None
    file.seek(0)
    return io.TextIOWrapper(file, encoding=encoding, errors="replace", newline=newline)


def lines(stream: io.TextIOBase, most: int) -> Iterator[tuple[str, bool]]:
    """(line, whole) one after the other; a line over `most` characters is cut, `whole` False, and its rest passed over."""
    while line := stream.readline(most):
        whole = len(line) < most or line.endswith("\n")
        yield line, whole
        while not whole:
            rest = stream.readline(most)
            whole = not rest or rest.endswith("\n")
