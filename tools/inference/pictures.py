"""A picture made small enough to be shown to a model, in a child process: what comes in may be hostile.
May touch: a child process (picture_process.py). Does not promise: that fine print stays readable.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from outrider.tools.process.deadlines import in_child

MOST_SIDE = 1568  # pixels: what Claude shows itself at most; OpenAI scales to 768 on the short side
MOST_BYTES = 4_000_000  # of what is sent: under every provider's limit


@dataclass(frozen=True, slots=True)
class Shrunk:
    """The picture as it is sent, and the sizes in pixels it had and has."""

    data: bytes
    media_type: str
    width: int
    height: int
    shown_width: int
    shown_height: int


async def shrunk(data: bytes) -> Shrunk | None:
    """The picture with at most MOST_SIDE pixels a side and MOST_BYTES; as it is where it fits. None for what is no picture."""
    asked = {"data": base64.b64encode(data).decode(), "most_side": MOST_SIDE, "most_bytes": MOST_BYTES}
    done = await in_child(
        "outrider.tools.inference.picture_process", stdin=json.dumps(asked).encode(), seconds=30, max_output=16 << 20
    )
    try:
        told = json.loads(done.output)
        return Shrunk(base64.b64decode(told.pop("data")), **told)
    except (ValueError, KeyError, TypeError, binascii.Error):
        return None
