"""What is done when a server refuses pictures: they are left out, and the model is told that it was not shown them.
Touches nothing. Does not promise: to know every server's words for it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from weakref import WeakKeyDictionary

from outrider.agent.models.model import Message, Request

BLIND = (
    "(The pictures could not be shown to you: your server does not take any. Do not say what they show unless a tool told "
    'you: hub_run(task="image-to-text") or hub_run(task="ocr") can describe or read one by its path.)'
)
_REFUSED = re.compile(
    rb"image_url|input_image|image input|images? (?:is|are) not|not support[^.]{0,40}(?:image|vision|multimodal)|multimodal|"
    rb"vision|only text|mmproj|content[^.]{0,40}(?:must be|should be|expected)[^.]{0,20}string",
    re.IGNORECASE,
)


class Pictures:
    """Whether a server refused pictures, and its messages without them, each made once so that it is encoded once."""

    def __init__(self) -> None:
        self.blind = False
        self._bare: WeakKeyDictionary[Message, Message] = WeakKeyDictionary()

    def refused(self, status: int, body: bytes, request: Request) -> bool:
        """Whether the server refused this request because of the pictures in it."""
        held = any(message.pictures for message in request.messages)
        said = status in (400, 404, 415, 422, 500, 501) and bool(_REFUSED.search(body[:20_000]))
        self.blind = self.blind or (held and said)
        return held and said

    def left_out(self, request: Request) -> Request:
        """The request without its pictures, and with a word about it in their place."""
        for message in request.messages:
            if message.pictures and message not in self._bare:
                self._bare[message] = replace(message, pictures=(), text=f"{message.text}\n\n{BLIND}")
        return replace(request, messages=[self._bare.get(message, message) for message in request.messages])
