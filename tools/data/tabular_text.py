"""Decodes a table's text after looking at all of it: UTF-8 only if every byte fits, else a code page, said to be a guess.
May touch: the binary file it is handed. Does not promise: the right code page; windows-1252 where nothing speaks for another.
"""

from __future__ import annotations

import codecs
import io
from dataclasses import dataclass
from typing import BinaryIO

from outrider.tools.files.encoding import encoding_of

CHUNK = 1 << 20


@dataclass(slots=True)
class Decoded:
    """A text stream, its encoding, whether that was guessed, and the size of the file in bytes."""

    stream: io.TextIOBase
    encoding: str
    guessed: bool
    size: int


def decoded(file: BinaryIO) -> Decoded | None:
    """The text of a file, or None when it is binary."""
    sample = file.read(8192)
    encoding = encoding_of(sample)
    size = file.seek(0, io.SEEK_END)
    if encoding is None:
        encoding = _wide(sample)
        if encoding is None:
            return None
    if encoding == "utf-8" and not _is_utf8(file):
        encoding = "cp1252"
    file.seek(0)
    guessed = encoding == "cp1252"
    if guessed:
        encoding = _code_page(file) or encoding
        file.seek(0)
    return Decoded(io.TextIOWrapper(file, encoding=encoding, errors="replace", newline=""), encoding, guessed, size)


def _is_utf8(file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    try:
        while chunk := file.read(CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _wide(sample: bytes) -> str | None:
    """UTF-16 without a mark: every second byte of plain text is zero."""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    if half >= 4 and odd > half * 0.6 and not even:
        return "utf-16-le"
    return "utf-16-be" if half >= 4 and even > half * 0.6 and not odd else None


def _code_page(file: BinaryIO) -> str | None:
    """What charset-normalizer makes of a sample with letters outside ASCII; None where it cannot tell."""
    from charset_normalizer import from_bytes

    found = from_bytes(file.read(CHUNK)).best()
    return found.encoding if found and found.encoding not in ("ascii", "utf_8") else None
