"""Undoes Content-Encoding as browsers do: what is no compression is passed over, what is not compressed is taken as it is.
Touches nothing. Memory is bounded: a bomb yields what fits and no more.
Does not promise: br and zstd where no library for them is installed; then it says so.
"""

from __future__ import annotations

import re
import zlib
from typing import Any, Protocol

from outrider.tools.net.addresses import short
from outrider.tools.tool import ToolError

_GZIP = b"\x1f\x8b"
# Servers write charsets and transfer encodings here; browsers pass them over.
_NO_COMPRESSION = re.compile(
    r"|identity|none|null|utf-?8|utf-?16|us-ascii|ascii|iso-8859-\d+|windows-\d+|7bit|8bit|binary|base64|chunked|text(?:/.*)?|default|false|0"
)
STEP = 1 << 14  # bytes decompressed at once where the library has no limit
SLICE = 256


class DamagedEncoding(Exception):
    """The compressed data is damaged from here on."""


class _Stage(Protocol):
    def __call__(self, chunk: bytes, room: int) -> bytes: ...


class Undo:
    """Undoes the encodings of one answer, the last one first. Call with each chunk; at most about `room` bytes come back."""

    def __init__(self, header: str) -> None:
        names = [name.strip().lower() for name in header.split(",")]
        self._stages = [_stage(name) for name in reversed(names) if not _NO_COMPRESSION.fullmatch(name)]

    def __call__(self, chunk: bytes, room: int) -> bytes:
        """Raises DamagedEncoding."""
        for stage in self._stages:
            chunk = stage(chunk, max(room, 1))
        return chunk

    @property
    def unfinished(self) -> bool:
        """Whether compressed data has begun and not ended: the rest of it is missing."""
        return any(getattr(stage, "unfinished", False) for stage in self._stages)


def _stage(name: str) -> _Stage:
    if name in ("gzip", "x-gzip"):
        return _Gzip()
    if name == "deflate":
        return _Deflate()
    maker = {"br": _brotli, "zstd": _zstd}.get(name)
    made = maker() if maker else None
    if made is None:
        raise ToolError("the server's answer cannot be read", f"its encoding is {short(name)}", "use another address")
    return made


class _Gzip:
    """All members of a gzip stream; what does not begin like one is no gzip, whatever the header says."""

    def __init__(self) -> None:
        self._begin = b""
        self._undo: Any = None
        self._plain = False
        self._members = 0

    @property
    def unfinished(self) -> bool:
        return self._undo is not None

    def __call__(self, chunk: bytes, room: int) -> bytes:
        if self._plain:
            return chunk
        out = bytearray()
        chunk, self._begin = self._begin + chunk, b""
        while chunk and len(out) < room:
            if self._undo is None:
                if len(chunk) < 2 and _GZIP.startswith(chunk):
                    self._begin = chunk
                    break
                if not chunk.startswith(_GZIP):
                    if self._members:  # padding behind the last member
                        break
                    self._plain = True
                    return bytes(out) + chunk
                self._undo = zlib.decompressobj(zlib.MAX_WBITS | 16)
            out += _inflate(self._undo, chunk, room - len(out))
            chunk = self._undo.unconsumed_tail
            if self._undo.eof:
                chunk, self._undo = self._undo.unused_data, None
                self._members += 1
        return bytes(out)


class _Deflate:
    """ "deflate" is zlib by the book and raw in the wild; and plain text where a server only says it."""

    def __init__(self) -> None:
        self._undo: Any = None
        self._plain = False

    @property
    def unfinished(self) -> bool:
        return self._undo is not None and not self._plain and not self._undo.eof

    def __call__(self, chunk: bytes, room: int) -> bytes:
        if self._plain or not chunk:
            return chunk
        if self._undo is None:
            zlib_form = chunk[0] & 0x0F == 8 and (len(chunk) < 2 or int.from_bytes(chunk[:2]) % 31 == 0)
            self._undo = zlib.decompressobj(zlib.MAX_WBITS if zlib_form else -zlib.MAX_WBITS)
            try:
                return _inflate(self._undo, chunk, room)
            except DamagedEncoding:
                if zlib_form:
                    raise
                self._plain = True
                return chunk
        return _inflate(self._undo, chunk, room)


def _inflate(undo: Any, chunk: bytes, room: int) -> bytes:
    try:
        out: bytes = undo.decompress(chunk, max(room, 1))
    except zlib.error as error:
        raise DamagedEncoding(str(error)) from None
    return out


def _brotli() -> _Stage | None:
    """br, by whichever library is there."""
    try:
        import brotli
    except ImportError:
        try:
            import brotlicffi as brotli
        except ImportError:
            return None
    undo = brotli.Decompressor()
    if not hasattr(undo, "process"):
        return None

    def stage(chunk: bytes, room: int) -> bytes:
        try:
            out: bytes = undo.process(chunk, output_buffer_limit=room)
        except TypeError:  # an old brotli has no limit: small steps bound it
            out = undo.process(chunk[:STEP])
        except brotli.error as error:
            raise DamagedEncoding(str(error)) from None
        return out

    return stage


def _zstd() -> _Stage | None:
    """zstd, by Python 3.14's own module or by `zstandard`."""
    try:
        from compression import zstd

        own = zstd.ZstdDecompressor()
        failure: type[Exception] = zstd.ZstdError

        def decompress(chunk: bytes, room: int) -> bytes:
            return bytes(own.decompress(chunk, room))
    except ImportError:
        try:
            import zstandard
        except ImportError:
            return None
        theirs = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
        failure = zstandard.ZstdError

        def decompress(chunk: bytes, room: int) -> bytes:
            out = bytearray()
            for at in range(0, len(chunk), SLICE):  # it knows no limit of its own
                out += theirs.decompress(chunk[at : at + SLICE])
                if len(out) > room:
                    break
            return bytes(out)

    def stage(chunk: bytes, room: int) -> bytes:
        try:
            return decompress(chunk, room)
        except failure as error:
            raise DamagedEncoding(str(error)) from None

    return stage
