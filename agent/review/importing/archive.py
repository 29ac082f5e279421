"""Opens Inspect's `.eval` logs: a ZIP of JSON files, deflated or (in newer versions) zstd-compressed.
Touches the file. Does not promise: zstd where no library for it is installed; then it says what to do. A file that unpacks to
more than is read is refused, not filled into memory.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outrider.agent.review.importing.turns import inside
from outrider.memory.errors import UsageError

MAGIC = b"PK\x03\x04"
MOST_BYTES = 1_000_000_000  # unpacked, all files together
ZSTD = 93
DAMAGED = (  # what zipfile and json raise for a file that is not whole: RuntimeError for one that is encrypted
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, RecursionError, ValueError,
    OverflowError, struct.error, OSError,
)  # fmt: skip


def is_archive(file: Path) -> bool:
    """Whether a file is a ZIP by its first bytes."""
    try:
        with file.open("rb") as opened:
            return opened.read(4) == MAGIC
    except OSError:
        return False


def read(file: Path) -> Iterator[dict[str, Any]]:
    """The log as Inspect's JSON has it, a sample at a time: `eval` of the header, and one of `samples`. Raises UsageError."""
    try:
        with zipfile.ZipFile(file) as opened:
            infos = {info.filename: info for info in opened.infolist()}
            head = infos.get("header.json") or infos.get("_journal/start.json")
            samples = sorted(name for name in infos if name.startswith("samples/") and name.endswith(".json"))
            if head is None or not samples:
                raise _wrong(file, "it is a ZIP file without a header and samples", "give one that Inspect wrote")
            if sum(infos[name].file_size for name in samples) > MOST_BYTES:
                raise _wrong(file, f"it unpacks to more than {MOST_BYTES:,} bytes", "split it")
            about = inside(json.loads(_member(file, opened, head)), "eval")
            for name in samples:
                sample = json.loads(_member(file, opened, infos[name]))
                yield {"eval": about if isinstance(about, dict) else {}, "samples": [sample]}
    except DAMAGED as error:
        raise _wrong(
            file, str(error) or type(error).__name__, "give an .eval log, or the JSON of `inspect log dump`"
        ) from error


def _member(file: Path, opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.compress_type != ZSTD:
        with opened.open(info) as member:
            return member.read(MOST_BYTES)
    with file.open("rb") as raw:  # Python reads this kind from 3.14 on
        raw.seek(info.header_offset)
        name, extra = struct.unpack("<HH", raw.read(30)[26:30])
        raw.seek(name + extra, io.SEEK_CUR)
        return _unzstd(file, raw.read(info.compress_size), info.file_size)


def _unzstd(file: Path, data: bytes, size: int) -> bytes:
    try:
        import zstandard
    except ImportError:
        fix = "pip install zstandard, or give the JSON of `inspect log dump`"
        raise _wrong(file, "it is compressed with zstd, and there is no library for it here", fix) from None
    try:
        with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)) as reader:
            return bytes(reader.read(min(size, MOST_BYTES) + 1))
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error


def _wrong(file: Path, why: str, fix: str) -> UsageError:
    return UsageError(f"cannot read {str(file)!r}", why, fix)
