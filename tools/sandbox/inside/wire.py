"""Messages between the agent and the worker inside the sandbox: a message is a list of byte strings.
Touches only the descriptors it is given. Used on both sides; on the far side it runs before anything else is imported,
so it needs `os` alone. Does not promise: that a field means anything; whoever reads a message checks it.
"""

from __future__ import annotations

import os

LARGEST = 16 << 20  # bytes in one message; file contents travel in pieces of PIECE
PIECE = 1 << 20


class Broken(Exception):
    """The other side closed the channel or sent something that is not a message."""


def encode(*fields: bytes) -> bytes:
    """The bytes of one message: its length, then every field with its length (4 bytes each, big-endian)."""
    body = b"".join(len(field).to_bytes(4, "big") + field for field in fields)
    return len(body).to_bytes(4, "big") + body


def decode(body: bytes) -> list[bytes]:
    """The fields of one message, without its length. Raises Broken if the lengths do not add up."""
    fields, at = [], 0
    while at < len(body):
        end = at + 4 + int.from_bytes(body[at : at + 4], "big")
        if at + 4 > len(body) or end > len(body):
            raise Broken("a field is longer than its message")
        fields.append(body[at + 4 : end])
        at = end
    return fields


def send(fd: int, *fields: bytes) -> None:
    """Write one message, whole. Raises Broken when nobody reads any more."""
    data = memoryview(encode(*fields))
    try:
        while data:
            data = data[os.write(fd, data) :]
    except OSError as error:
        raise Broken(str(error)) from None


def receive(fd: int) -> list[bytes]:
    """Read one message, whole. Raises Broken at the end of the channel or for a message over LARGEST."""
    size = int.from_bytes(_exactly(fd, 4), "big")
    if size > LARGEST:
        raise Broken(f"a message of {size} bytes")
    return decode(_exactly(fd, size))


def _exactly(fd: int, size: int) -> bytes:
    pieces = []
    while size:
        try:
            piece = os.read(fd, min(size, PIECE))
        except OSError as error:
            raise Broken(str(error)) from None
        if not piece:
            raise Broken("the channel is closed")
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
