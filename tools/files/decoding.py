"""Decodes a text file after looking at all of it: UTF-8 only if every byte fits, else a code page, said to be a guess.
May touch: the binary file it is handed. Does not promise: the right code page; windows-1252 where nothing speaks for another.
"""

from __future__ import annotations

import codecs
import io
from dataclasses import dataclass
from typing import BinaryIO

from outrider.tools.documents import charset
from outrider.tools.files.encoding import SAMPLE, encoding_of

CHUNK = 1 << 20


@dataclass(slots=True)
class Decoded:
    """A text stream, its encoding, whether that was guessed, and the size of the file in bytes."""

    stream: io.TextIOBase
    encoding: str
    guessed: bool
    size: int


def decoded(file: BinaryIO, *, newline: str | None = "") -> Decoded | None:
    """The text of a file, or None when it is binary. newline: as for `open`; line ends stay as they are."""
    sample = file.read(SAMPLE)
    encoding = encoding_of(sample) or charset.wide(sample)
    size = file.seek(0, io.SEEK_END)
    if not encoding:
        return None
    guessed = encoding == "cp1252" or (encoding == "utf-8" and not _is_utf8(file))
    if guessed:
        encoding = charset.guess(_telling(file))
    file.seek(0)
    return Decoded(
        io.TextIOWrapper(file, encoding=encoding, errors="replace", newline=newline), encoding, guessed, size
    )


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


def _telling(file: BinaryIO) -> bytes:
    """Lines with bytes beyond ASCII, wherever in the file they are."""
    found = bytearray()
    file.seek(0)
    while len(found) < charset.SAMPLE and (lines := file.readlines(CHUNK)):
        found += b"".join(line[:1000] for line in lines if not line.isascii())
    return bytes(found[: charset.SAMPLE])
