"""The one place where secrets are taken out of what is stored or shown: text, bytes, JSON values and events.
Touches nothing. Does not promise: to find a secret that was cut, reversed or encrypted; a mask is never the wall.

A value is looked for in every form a program may give it: as it is, URL-encoded, base64 (also in the middle of something
longer), hexadecimal, escaped for JSON (also JSON inside JSON), as Python's repr, in HTML, with its line ends changed.
Looking is a substring search a form, in C; a text that holds none comes back as the very same object.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from typing import Any, get_args

from outrider.memory.redaction.shapes import mask_shapes, may_have_shape
from outrider.memory.text import for_storage

SHORTEST = 8  # characters of a secret: a shorter one would mask half of every text
LONG = 256  # characters from which a text is remembered as looked through
SHORTEST_LINE = 16  # characters of one line of a secret that has several
_UNRESERVED = "-._~!*'()"


class Masker:
    """Takes the values of `secrets` (name → value) out of text, and everything that has the shape of a key."""

    def __init__(self, secrets: Mapping[str, str] | None = None, *, shapes: bool = True) -> None:
        self._shapes = shapes
        self._names: dict[str, str] = {}
        self._forms: list[tuple[str, str]] = []
        self._byte_forms: list[tuple[bytes, bytes]] = []
        self._written: list[str] = []  # the forms inside JSON
        self._sizes: list[int] = []
        self._clean = ""
        self.add(secrets or {})

    def add(self, secrets: Mapping[str, str]) -> None:
        """Mask these too. A value under 8 characters is left alone: it would mask half of every text."""
        fresh = {
            value: name
            for name, value in secrets.items()
            if len(value.strip()) >= SHORTEST and value not in self._names
        }
        if not fresh:
            return
        self._names |= fresh
        forms: dict[str, str] = {}
        for value, name in self._names.items():
            for form in forms_of(value):
                forms.setdefault(form, f"{{{{secret:{name}}}}}")
        self._forms = sorted(forms.items(), key=lambda pair: len(pair[0]), reverse=True)
        self._byte_forms = [(f.encode("utf-8", "surrogatepass"), to.encode()) for f, to in self._forms]
        self._written = [json.dumps(form, ensure_ascii=False)[1:-1] for form, _ in self._forms]
        self._sizes, self._clean = [-len(form) for form, _ in self._forms], ""
        self.__dict__.pop("spaced", None)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the secrets that are masked."""
        return tuple(self._names.values())

    @cached_property
    def spaced(self) -> tuple[str, ...]:
        """The forms that hold a blank or a line end: a text that is cut where words end may be cut inside one."""
        return tuple(form for form, _ in self._forms if " " in form or "\n" in form)

    def text(self, text: str) -> str:
        """`text` without secrets; the same object if it holds none."""
        if len(text) < SHORTEST or text is self._clean:
            return text
        # Forms stand from the longest to the shortest: those longer than the text cannot be in it.
        for form, name in self._forms[bisect_left(self._sizes, -len(text)) :] if len(text) < LONG else self._forms:
            if form in text:
                text = text.replace(form, name)
        if self._shapes:
            text = mask_shapes(text)
        if len(text) >= LONG:
            self._clean = text  # the same result passes a tool, an event and the journal: it is looked through once
        return text

    def data(self, data: bytes) -> bytes:
        """Bytes of a file without secrets; the same object if there are none. Text in it is masked as text."""
        for form, name in self._byte_forms:
            if form in data:
                data = data.replace(form, name)
        if not self._shapes or b"\0" in data[:4096]:
            return data
        plain = data.decode("utf-8", "surrogateescape")
        masked = mask_shapes(plain)
        return data if masked is plain or masked == plain else masked.encode("utf-8", "surrogateescape")

    def value(self, value: Any) -> Any:
        """A JSON value, a model of pydantic or a tuple of them, masked at every depth; the same object if nothing was."""
        if isinstance(value, str):
            return value if len(value) < SHORTEST or value in vocabulary() else self.text(value)
        if value is None or isinstance(value, int | float):
            return value
        if hasattr(type(value), "model_fields"):  # pydantic's; not imported, for a list of runs does without it
            return self.model(value)
        if isinstance(value, dict):
            return self._dict(value)
        if isinstance(value, list | tuple):
            made = [self.value(one) for one in value]
            return value if all(a is b for a, b in zip(made, value, strict=True)) else type(value)(made)
        return value

    def _dict(self, value: dict[Any, Any]) -> dict[Any, Any]:
        made = {(self.text(k) if isinstance(k, str) else k): self.value(v) for k, v in value.items()}
        same = len(made) == len(value) and all(a is b and made[a] is value[b] for a, b in zip(made, value, strict=True))
        return value if same else made

    def model(self, model: Any) -> Any:
        """A pydantic model (an event), masked; the same object if nothing was."""
        changes = {}
        for name in type(model).model_fields:
            old = getattr(model, name)
            if old and (new := self.value(old)) is not old:
                changes[name] = new
        return model.model_copy(update=changes) if changes else model

    def event(self, event: Any) -> Any:
        """An event of the journal, masked; the same object if nothing was.

        It is looked through once, as the JSON it is stored as, for every form as JSON spells it; only one that may hold something
        is walked field by field. Half a character is stored as another one, so an event that held one is walked as well.
        """
        try:
            body = event.body()
        except Exception:  # what cannot be written is for the journal to say
            return self.model(event)
        for form in self._written:
            if form in body:
                return self.model(event)
        if self._written and "\ufffd" in body:
            return self.model(event)
        return self.model(event) if self._shapes and may_have_shape(body) else event

    def error(self, error: BaseException) -> BaseException:
        """An exception whose message holds no secret: its texts are masked in place."""
        error.args = tuple(self.value(part) for part in error.args)
        for name in ("what", "why", "fix"):
            if isinstance(said := getattr(error, name, None), str):
                setattr(error, name, self.text(said))
        return error

    def find(self, text: str) -> Iterator[tuple[str, int]]:
        """(what it is, where) of every secret in `text`."""
        for form, name in self._forms:
            at = text.find(form)
            while at >= 0:
                yield name, at
                at = text.find(form, at + len(form))
        if self._shapes and (masked := mask_shapes(text)) != text:
            at = next(i for i in range(len(text)) if i >= len(masked) or text[i] != masked[i])
            yield "something shaped like a key", at


NOTHING = Masker(shapes=False)


def forms_of(value: str) -> set[str]:
    """Every text that says `value`, each at least 8 characters long."""
    import html

    forms: set[str] = set()
    for plain in _spellings(value):
        forms |= {plain, repr(plain)[1:-1], html.escape(plain), html.escape(plain, quote=False)}
        forms |= _quoted(plain) | _escaped(plain) | _encoded(plain.encode("utf-8", "surrogatepass"))
    forms |= {inner for form in tuple(forms) for inner in _escaped(form)}
    return {form for form in forms if len(form) >= SHORTEST}


def _spellings(value: str) -> set[str]:
    """The value with its line ends and edges as programs change them, and its lines one by one."""
    unix = value.replace("\r\n", "\n").replace("\r", "\n")
    found = {value, value.strip(), unix, unix.strip(), for_storage(value).strip(), unix.replace("\n", "\r\n")}
    lines = [line.strip() for line in unix.split("\n")]
    if len(lines) > 1:
        found |= {line for line in lines if len(line) >= SHORTEST_LINE and not line.startswith("-----")}
        found |= {"".join(lines), " ".join(lines).strip()}
    return {one for one in found if len(one) >= SHORTEST}


def _quoted(plain: str) -> set[str]:
    from urllib.parse import quote, quote_plus

    safe = plain.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    made = {quote(safe, safe=""), quote(safe), quote_plus(safe), quote(safe, safe=_UNRESERVED)}
    made |= {re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), one) for one in made}
    return made | {quote(one, safe="") for one in made}


def _escaped(plain: str) -> set[str]:
    made = set()
    for ascii_only in (True, False):
        once = json.dumps(plain, ensure_ascii=ascii_only)[1:-1]
        made |= {once, json.dumps(once, ensure_ascii=ascii_only)[1:-1], once.replace("/", "\\/")}
    return made


def _encoded(data: bytes) -> set[str]:
    """Hexadecimal, and base64 as it looks at each place of something longer (the uncertain letters at both ends left out)."""
    import base64

    made = {data.hex(), data.hex().upper(), base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()}
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + data).decode().rstrip("=")
        first = (before * 8 + 5) // 6
        last = ((before + len(data)) * 8) // 6
        if last - first >= 10:  # fewer letters are found in innocent text
            made |= {whole[first:last], whole[first:last].replace("+", "-").replace("/", "_")}
    return made


def _vocabulary() -> Iterable[str]:
    """Words that events are made of: a secret that is one of them must not make a stored event unreadable."""
    from outrider.memory import events

    for kind in (events.Effect, events.Origin, events.Decision, events.StopReason):
        yield from get_args(kind)
    yield from events.KINDS


@cache
def vocabulary() -> frozenset[str]:
    """The same as a set; read when the first event is masked, so that a list of runs need not load the events."""
    return frozenset(_vocabulary())
