"""The JSON value in what a model wrote, and whether it fits the schema the answer must have.
Touches nothing. Does not promise: that a value which fits is right; only that a program can read it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from outrider.agent.structured.schema import Schema
from outrider.tools.json_schema import validator

Check = Callable[[Any], str]  # what is wrong with a value in words, "" if nothing is
MISFIT = "Your answer is not the data that was asked for:"
TRIES = 4  # answers that do not fit, then the run ends: a model that cannot will not
MOST_ERRORS = 5
_FENCED = re.compile(r"```(?:json)?[ \t]*\n(.*?)\n[ \t]*```", re.DOTALL | re.IGNORECASE)


def how(schema: Schema) -> str:
    """What the system text says of the answer."""
    told = json.dumps(schema, ensure_ascii=False)
    return (
        "The answer must be one JSON value that fits the JSON Schema below, and nothing else: no words before or after it. "
        f"A program reads it.\n{told}"
    )


def check_of(schema: Schema) -> Check:
    """Says what of a value does not fit the schema. The schema was checked when the run began."""
    fits = validator(schema)

    def check(value: Any) -> str:
        found = []
        for error in fits.iter_errors(value):
            at = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.instance_path)
            found.append(f"{at.lstrip('.') or 'the value'}: {error.message[:200]}")
            if len(found) == MOST_ERRORS:
                break
        return "; ".join(found)

    return check


def check_of_type(kind: Any, schema: Schema) -> Check:
    """The same, and then what the Python type itself refuses (a validator of a pydantic model)."""
    fits = check_of(schema)

    def check(value: Any) -> str:
        from pydantic import TypeAdapter, ValidationError

        if wrong := fits(value):
            return wrong
        try:
            TypeAdapter(kind).validate_json(json.dumps(value))
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)[:MOST_ERRORS]
            return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'the value'}: {one['msg'][:200]}" for one in found)
        return ""

    return check


def read_answer(text: str, check: Check) -> tuple[Any, str]:
    """(the first JSON value in the text that fits, ""), or (None, what was wrong in words)."""
    wrong = ""
    for value in _values(text):
        wrong = check(value) if not isinstance(value, _NotJson) else wrong or value.why
        if not wrong:
            return value, ""
    return None, wrong or "there is no JSON in it"


class _NotJson:
    def __init__(self, why: str) -> None:
        self.why = why


def _values(text: str) -> Iterator[Any]:
    """What could be meant: the whole text, what is fenced as code, the first object or list that stands in it."""
    whole = _loaded(text.strip())
    yield whole
    if not isinstance(whole, _NotJson):
        return
    for fenced in _FENCED.findall(text):
        yield _loaded(fenced.strip())
    if start := re.search(r"[\[{]", text):
        try:
            yield _DECODER.raw_decode(text, start.start())[0]
        except (ValueError, RecursionError):
            return


def _loaded(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        return _NotJson(f"it is not JSON ({error})")


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_number)


def spelt(value: Any) -> str:
    """A value as the answer of a run holds it: JSON in one line."""
    return json.dumps(value, ensure_ascii=False)


def shown(answer: str) -> str:
    """The answer's JSON fit for a terminal and a program alike: what a terminal must not be sent is spelt out (\\u001b)."""
    from outrider.memory.text import for_terminal

    return answer if for_terminal(answer) == answer else json.dumps(json.loads(answer))


def claims(value: Any, above: str = "") -> str:
    """The value as lines of plain words, one a leaf, so that each can be tied to what was observed."""
    if isinstance(value, dict):
        return "\n".join(claims(inner, str(key)) for key, inner in value.items())
    if isinstance(value, list):
        return "\n".join(claims(inner, above) for inner in value)
    return f"{above}: {value}" if above else str(value)
