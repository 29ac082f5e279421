"""What is learned of one server while it is used: names of settings it takes, how long its replies may be, that it only streams.
Touches nothing. Each refusal teaches once, for the life of the model; a person's own settings are never left out.
Does not promise: to understand every refusal; what it does not is shown as it came.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from outrider.agent.models.chat.answer_form import refused_part
from outrider.agent.models.chat.encode import MessageBytes
from outrider.agent.models.chat.limits import is_overflow, longest_reply

_NEW_NAMES = re.compile(r"(?:^|/)(?:o[1-9]|gpt-(?:[5-9]|\d\d))")  # these call the limit max_completion_tokens
_ONLY_STREAMS = re.compile(
    r"only supports? stream|stream(?:ing)? (?:mode )?(?:is )?(?:required|only)|(?:set|use|enable) .{0,20}stream.{0,4}true"
    r"|must (?:have|set|use) .{0,4}stream",
    re.I,
)
_SENT_BACK = ("reasoning_content", "reasoning_details", "extra_content")  # fields of earlier replies that go back
_FORM = "response_format"
_LIMIT_FIELDS = ("max_tokens", "max_completion_tokens")
_REFUSED_SETTING = re.compile(
    r"unsupported|not supported|unrecogni[sz]ed|unknown|extra|not permitted|unexpected|not allowed|instead", re.I
)
_NO_NULL = re.compile(  # llama-cpp-python's server wants text beside calls, where the API has null
    r"content.{0,80}(?:valid string|must be a string|not be null|NoneType|null is not|none is not)|input[^\w]{1,4}null",
    re.I | re.S,
)


class Habits:
    """stream: True, False, or None: only when somebody watches. extra: settings sent with every request; advice: those of
    them that nobody asked for."""

    def __init__(self, model: str, stream: bool | None, extra: Mapping[str, Any], advice: frozenset[str]) -> None:
        self.limit_field = "max_completion_tokens" if _NEW_NAMES.search(model) else "max_tokens"
        self.stream, self.extra = stream, dict(extra)
        self.messages = MessageBytes()
        self._advice, self._longest = advice, 0
        self.dropped: set[str] = set()  # settings this server refused, never sent again

    def settings(self, max_tokens: int, stream: bool) -> dict[str, Any]:
        """What goes beside the messages: the reply's limit, streaming, the extras."""
        made: dict[str, Any] = {self.limit_field: min(max_tokens, self._longest or max_tokens)}
        if stream:
            made["stream"] = True
            if "stream_options" not in self.dropped:
                made["stream_options"] = {"include_usage": True}
        return made | self.extra

    def learn(self, status: int, words: str, sent: Mapping[str, Any]) -> bool:
        """Whether a refusal named a setting of ours that can be left out or renamed: then it is, from now on."""
        if status in (400, 422, 500) and _NO_NULL.search(words) and not self.messages.empty_text:
            self.messages = MessageBytes(self.messages.without, empty_text=True)
            return True
        if status in (400, 422) and any(name in words for name in self._advice):
            self.extra = {name: value for name, value in self.extra.items() if name not in self._advice}
            self._advice = frozenset()
            return True
        if self._learns_form(status, words, sent):
            return True
        if status not in (400, 404, 422):
            return False
        if self.stream is None and "stream" not in sent and _ONLY_STREAMS.search(words):
            self.stream = True
            return True
        limit = sent.get(self.limit_field)
        if isinstance(limit, int) and (most := longest_reply(words, limit)) is not None:
            self._longest = most
            return True
        refused = not is_overflow(words) and _REFUSED_SETTING.search(words)
        return bool(refused) and (self._without_fields(words) or self._renamed(words, sent))

    def _learns_form(self, status: int, words: str, sent: Mapping[str, Any]) -> bool:
        """Whether a refusal was about the form of the answer: then it is asked for less strictly, or in words alone."""
        form = None if _FORM in self.extra else sent.get(_FORM)
        if form is None or status not in (400, 404, 422, 500, 501) or is_overflow(words):
            return False
        part = refused_part(words, form)
        if part:
            self.dropped.add("strict" if part == "strict" else _FORM)
        return bool(part)

    def _without_fields(self, words: str) -> bool:
        """Fields of earlier replies that this server does not know."""
        refused = {field for field in _SENT_BACK if field in words} - self.messages.without
        if refused:
            self.messages = MessageBytes(self.messages.without | refused, empty_text=self.messages.empty_text)
        return bool(refused)

    def _renamed(self, words: str, sent: Mapping[str, Any]) -> bool:
        if "stream_options" in words and "stream_options" in sent:
            self.dropped.add("stream_options")
            return True
        for field, other in (_LIMIT_FIELDS, _LIMIT_FIELDS[::-1]):
            if field in words and field in sent and other not in self.dropped:
                self.dropped.add(field)
                self.limit_field = other
                return True
        return False
