"""Copies for `undo` of files that hold a secret: kept, but not readable by whoever has the database alone.
May touch: the key file it is given, made with mode 0600. Does not promise: secrecy from who can read that file too;
nor to be more than this: it keeps keys of yours out of a database that is copied, searched or sent to somebody.

The same bytes give the same sealed bytes (so a digest still names them). SHAKE-256 over key and content digest is the
key stream: a synthetic nonce, so no stream is used for two contents.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

MAGIC = b"outrider-sealed-1\n"
_NONCE = 32


class Sealer:
    """Seals and opens with the key in `file`, which is made when it is first needed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._key = b""

    def seal(self, data: bytes) -> bytes:
        """`data`, unreadable without the key. Raises OSError when the key can be neither read nor made."""
        nonce = hashlib.blake2b(data, key=self._read_key(), digest_size=_NONCE).digest()
        return MAGIC + nonce + self._crypt(data, nonce)

    def open(self, data: bytes) -> bytes | None:
        """What was sealed; data that was not comes back as it is, None if it was sealed with another key."""
        if not data.startswith(MAGIC):
            return data
        nonce, sealed = data[len(MAGIC) : len(MAGIC) + _NONCE], data[len(MAGIC) + _NONCE :]
        plain = self._crypt(sealed, nonce)
        good = hashlib.blake2b(plain, key=self._read_key(), digest_size=_NONCE).digest() == nonce
        return plain if good else None

    def _crypt(self, data: bytes, nonce: bytes) -> bytes:
        if not data:
            return b""
        stream = hashlib.shake_256(self._read_key() + nonce).digest(len(data))
        return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(data), "big")

    def _read_key(self) -> bytes:
        if not self._key:
            try:
                self._key = self._file.read_bytes()
            except FileNotFoundError:
                self._key = self._make()
        return self._key

    def _make(self) -> bytes:
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:  # another process was faster
            return self._file.read_bytes()
        with os.fdopen(descriptor, "wb") as file:
            key = os.urandom(32)
            file.write(key)
        return key
