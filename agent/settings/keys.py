"""Every key of the configuration: what it means, what it may hold, an example. One line adds a key.
Touches nothing. Does not promise: that a value works (a model that answers, a host that is there); only that it has the
right kind. docs/config.md is pinned to this list by a test.
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from outrider.memory.errors import UsageError

SPANS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")  # as agent/models/options.py has them

Place = tuple[str, ...]  # ("budget", "usd")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value may be. `read` turns the words of a command line into a value; `fits` says whether a value is one."""

    says: str
    fits: Callable[[Any], bool]
    read: Callable[[str], Any]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _toml(text: str) -> Any:
    """A value as TOML writes it. Raises ValueError."""
    read = tomllib.loads(f"value = {text}")
    if set(read) != {"value"}:
        raise ValueError("more than one value")
    return read["value"]


TEXT = Kind("text", lambda value: isinstance(value, str) and bool(value.strip()), str)
LIMIT = Kind("a number above zero", lambda value: _is_number(value) and value > 0, _toml)
SPAN = Kind(
    'a time such as "90s", "10m" or "2h"', lambda value: isinstance(value, str) and _span(value) is not None, str
)
PRICE = Kind("a number, zero or more", lambda value: _is_number(value) and value >= 0, _toml)
PART = Kind("a share between 0 and 1", lambda value: _is_number(value) and 0 < value < 1, _toml)
COUNT = Kind("a whole number above zero", lambda value: _is_whole(value) and value > 0, _toml)
CALLS = Kind("a whole number, zero or more", lambda value: _is_whole(value) and value >= 0, _toml)
TEMPERATURE = Kind("a number from 0 to 2", lambda value: _is_number(value) and 0 <= value <= 2, _toml)
SHARE = Kind("a number above 0, up to 1", lambda value: _is_number(value) and 0 < value <= 1, _toml)
WHOLE = Kind("a whole number", _is_whole, _toml)
EFFORT = Kind("one of none, minimal, low, medium, high, xhigh, max", lambda value: value in EFFORTS, str)
FLAG = Kind("true or false", lambda value: isinstance(value, bool), _toml)
DECISION = Kind("allow, ask or deny", lambda value: value in ("allow", "ask", "deny"), str)
HOSTS = Kind(
    "a list of hosts", lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value), _toml
)
NAMES = Kind(
    "a list of words", lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value), _toml
)
FOLDERS = Kind(
    "a list of folders", lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value), _toml
)
RULES = Kind(
    "a list of tables", lambda value: isinstance(value, list) and all(isinstance(one, dict) for one in value), _toml
)
ANY = Kind("any TOML value", lambda value: True, _toml)


def _span(text: str) -> float | None:
    number, unit = text.strip().lower(), 1
    if number[-1:] in SPANS:
        number, unit = number[:-1], SPANS[number[-1]]
    return float(number) * unit if re.fullmatch(r"\d{1,7}(\.\d{1,3})?", number) else None


def seconds_in(text: str, name: str) -> float:
    """The seconds of a time such as "90", "90s", "10m", "2h" or "1d". Raises UsageError."""
    if (seconds := _span(text)) is None:
        raise UsageError(f"{text[:40]!r} is not a time", f"{name} takes one", "write 90s, 10m or 2h")
    return seconds


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `name` is dotted, `*` stands for any name. variable: what sets it in the environment.

    default: what holds without it, in words. inside: whether a profile may hold it too.
    """

    name: str
    kind: Kind
    says: str
    example: str
    default: str = "none"
    variable: str = ""
    inside: bool = True

    @property
    def place(self) -> Place:
        """The name in its parts."""
        return tuple(self.name.split("."))


KEYS: tuple[Key, ...] = (
    Key("model", TEXT, "the model of a run, provider:name or an alias", '"openai:gpt-5-mini"', "the best one found",
        "OUTRIDER_MODEL"),
    Key("base_url", TEXT, "the OpenAI-compatible server of that model", '"http://127.0.0.1:11434/v1"',
        "the provider's own"),
    Key("api_key_env", TEXT, "the environment variable that holds its key; \"-\" sends none", '"MY_KEY"',
        "OPENAI_API_KEY"),
    Key("price_in", PRICE, "dollars per million input tokens of that model", "0.25", "as published, where known"),
    Key("price_out", PRICE, "dollars per million output tokens of that model", "2", "as published, where known"),
    Key("max_context", COUNT, "the window of that model in tokens, where it is not known", "32768", "as the model says"),
    Key("sees", FLAG, "whether that model is shown pictures", "true", "as its name tells"),
    Key("adapter", TEXT, "an adapter that `outrider tune` made, for a `llama:` model", '"mine.gguf"', "none"),
    Key("temperature", TEMPERATURE, "how freely that model samples; 0: always the likeliest word", "0.2",
        "as its makers advise, where known"),
    Key("top_p", SHARE, "the share of likeliest words it samples from", "0.9", "as its makers advise, where known"),
    Key("seed", WHOLE, "the seed of its sampling", "7", "the server's"),
    Key("max_output", COUNT, "the longest reply to ask for, in tokens", "4096", "4096; 1024 for a GGUF in-process"),
    Key("reasoning_effort", EFFORT, "how hard it thinks before it replies", '"low"', "the server's"),
    Key("options.*", ANY, "any other field of the request to that model", "40"),
    Key("memory", TEXT, "the database runs are kept in", '"sqlite:////srv/runs.db"', "memory.db in the data folder",
        "OUTRIDER_MEMORY", inside=False),
    Key("isolation", TEXT, "the sandbox code runs in (`outrider doctor` lists them)", '"auto"', "auto"),
    Key("approve_within", SPAN, "how long a run with nobody at its terminal waits for a yes from elsewhere (docs/policy.md)",
        '"10m"', "not at all: the answer is no"),
    Key("label", TEXT, "the label of runs that are given none", '"research"', "no label"),
    Key("instructions", FLAG, "whether AGENTS.md of the workspace is shown to the model", "false", "true"),
    Key("budget.usd", LIMIT, "dollars a run may spend", "0.50", "1 where the price is known"),
    Key("budget.tokens", COUNT, "tokens a run may use, in and out", "200000", "no limit"),
    Key("budget.steps", COUNT, "times the model may be asked", "40", "500"),
    Key("budget.seconds", LIMIT, "seconds of working time", "300", "3600"),
    Key("budget.wall_seconds", LIMIT, "seconds on the clock, waits for you included", "900", "no limit"),
    Key("budget.calls", COUNT, "tool calls", "60", "no limit"),
    Key("budget.per_tool.*", CALLS, "calls of one tool; 0: never", "5", "no limit"),
    Key("budget.soft", PART, "a share of any limit, at which the model is told to wrap up", "0.8", "not told"),
    Key("limits.usd_per_day", LIMIT, "dollars all runs together may spend in a day of this machine", "5", "no limit",
        inside=False),
    Key("limits.usd_per_month", LIMIT, "dollars all runs together may spend in a month", "50", "no limit", inside=False),
    Key("limits.label.*.usd_per_day", LIMIT, "the same for runs with this label", "1", "no limit", inside=False),
    Key("limits.label.*.usd_per_month", LIMIT, "the same for runs with this label", "10", "no limit", inside=False),
    Key("limits.model.*.usd_per_day", LIMIT, "the same for runs of this model (its full spec)", "2", "no limit",
        inside=False),
    Key("limits.model.*.usd_per_month", LIMIT, "the same for runs of this model (its full spec)", "20", "no limit",
        inside=False),
    Key("policy.read", DECISION, "calls that read", '"allow"', "allow"),
    Key("policy.write", DECISION, "calls that write in the workspace", '"ask"', "allow"),
    Key("policy.execute", DECISION, "code in the sandbox", '"ask"', "allow"),
    Key("policy.network", DECISION, "calls that send something out", '"deny"', "ask"),
    Key("policy.spend", DECISION, "calls that spend money", '"deny"', "ask"),
    Key("policy.tools.*", DECISION, "calls of one tool, whatever they do", '"ask"', "by its effect"),
    Key("policy.send_to", HOSTS, "hosts a run may send to without asking, private data too", '["api.example.org"]'),
    Key("policy.rules", RULES, "rules in order, the first that fits decides (docs/policy.md)",
        '[{ decision = "deny", host = "*.example.org" }]'),
    Key("databases.*", TEXT, "a database that `sql_query` may read; a password is written {{secret:NAME}}",
        '"sqlite:////home/me/shop.db"'),
    Key("tool_settings.net.proxy", TEXT, "an HTTP proxy for all requests of tools; none is taken from the environment",
        '"http://127.0.0.1:3128"'),
    Key("tool_settings.net.concurrent", COUNT, "requests to one host that may be under way at once", "2", "6"),
    Key("tool_settings.net.per_second", LIMIT, "requests to one host a second, after a second's worth at once", "1", "10"),
    Key("tool_settings.net.robots", FLAG, "whether `read_page` keeps to a site's robots.txt", "false", "true"),
    Key("hub.licences", NAMES, "licences a hub model may have to be chosen", '["apache-2.0", "mit"]', "any"),
    Key("hub.commercial", FLAG, "choose only hub models whose licence allows commercial use", "true", "false"),
    Key("hub.max_parameters", TEXT, "the largest hub model to choose", '"2B"', "any size"),
    Key("hub.gated", FLAG, "whether a hub model that asks for agreement may be chosen", "false", "true"),
    Key("hub.must_fit", FLAG, "choose only hub models that fit this machine's memory", "true", "false"),
    Key("hub.max_age_days", COUNT, "choose only hub models changed in so many days", "365", "any age"),
    Key("hub.min_downloads", COUNT, "choose only hub models downloaded so often in a month", "1000", "0"),
    Key("hub.rank", NAMES, "what hub models are ranked by: downloads, likes, recency, small, fit, runnable",
        '["runnable", "downloads"]', "downloads"),
    Key("hub.endpoint", TEXT, "the address of the model hub", '"https://hub.example.org"', "huggingface.co, or HF_ENDPOINT"),
    Key("hub.inference", TEXT, "your own inference server, asked at ADDRESS/models/OWNER/NAME in place of the hub's",
        '"http://127.0.0.1:8080"', "the hub's providers, or HF_INFERENCE_ENDPOINT"),
    Key("hub.seconds", LIMIT, "seconds one model of `hub_run` may take before the next is tried", "120", "60"),
    Key("hub.connect_s", LIMIT, "seconds to wait for the hub to be reached before the catalogue answers", "3", "0.8"),
    Key("skills.folders", FOLDERS, "folders of Agent Skills beside those that were added (docs/skills.md)",
        '["/home/me/skills"]'),
    Key("skills.trust", FOLDERS, "workspaces whose own `.agents/skills` are used", '["/home/me/project"]', inside=False),
    Key("tool_settings.*", ANY, "settings of one tool, handed to it as they are", '{ hide = ["private"] }'),
    Key("mcp.*", ANY, "an MCP server whose tools runs get (docs/mcp.md)", '{ command = "mcp-server-time" }', inside=False),
    Key("alias.*", TEXT, "a name of your own for a model: `--model NAME`", '"openai:gpt-5-mini"', inside=False),
)  # fmt: skip
PROFILE = "profile"  # [profile.NAME] holds any key above that may stand inside one


def place_of(name: str) -> Place:
    """The parts of a dotted name, spelt as TOML spells it (`alias."gpt-5.1"`). Raises UsageError."""
    try:
        if "\n" in name or "=" in name:
            raise ValueError("it holds more than a name")
        read = tomllib.loads(f"{name} = 0")
    except ValueError as error:  # TOMLDecodeError is one
        raise UsageError(f"{name!r} is not the name of a setting", str(error), "see `outrider config`") from error
    parts: list[str] = []
    here: Any = read
    while isinstance(here, dict):
        (part,) = here
        parts.append(part)
        here = here[part]
    return tuple(parts)


def spelt(place: Place) -> str:
    """The dotted name of a place as TOML spells it."""
    plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
    return ".".join(part if part and all(letter in plain for letter in part) else _quoted(part) for part in place)


def _quoted(part: str) -> str:
    import json

    return json.dumps(part)


def find_key(place: Place) -> Key | None:
    """The key a place belongs to; None: there is no such setting. `profile.NAME.…` finds the key inside."""
    if len(place) > 2 and place[0] == PROFILE:
        return next((key for key in KEYS if key.inside and _matches(key, place[2:])), None)
    return next((key for key in KEYS if _matches(key, place)), None)


def _matches(key: Key, place: Place) -> bool:
    pattern = key.place
    same = len(pattern) == len(place) or (key.kind is ANY and len(place) > len(pattern))
    return same and all(part in ("*", name) for part, name in zip(pattern, place, strict=False))


def settings_in(config: Mapping[str, Any], *above: str) -> Iterator[tuple[Place, Any]]:
    """(place, value) of every setting: what a known key holds whole, and whatever is under no known key."""
    for name, value in config.items():
        place = (*above, str(name))
        if isinstance(value, Mapping) and value and find_key(place) is None:
            yield from settings_in(value, *place)
        else:
            yield place, value


def check(config: Mapping[str, Any], where: str) -> None:
    """Raises UsageError for the first setting that means nothing or holds the wrong kind of value. where: the file."""
    for place, value in settings_in(config):
        key = find_key(place)
        if key is None:
            if isinstance(value, Mapping) and not value and _is_table(place):
                continue  # an empty table says nothing
            raise no_such(place, where)
        if not key.kind.fits(value):
            raise _wrong(place, value, key, where)


def _is_table(place: Place) -> bool:
    """Whether keys may stand below this place."""
    below = place[2:] if place[0] == PROFILE else place
    return not below or any(key.place[: len(below)] == below for key in KEYS)


def no_such(place: Place, where: str) -> UsageError:
    """The error for a name that is no setting, with the nearest one there is."""
    wanted = place[2:] if place[0] == PROFILE and len(place) > 2 else place
    known = [key.name for key in KEYS]
    near = difflib.get_close_matches(".".join(wanted), known, n=1, cutoff=0.6)
    fix = f"did you mean {near[0]}? " if near else ""
    outside = wanted != place and any(_matches(key, wanted) for key in KEYS)
    why = "it cannot differ by profile" if outside else "no such setting"
    return UsageError(
        f"{spelt(place)!r} in {where}",
        why,
        f"{fix}`outrider config` lists them all; docs/config.md says what they mean",
    )


def _wrong(place: Place, value: Any, key: Key, where: str) -> UsageError:
    held = "a table" if isinstance(value, Mapping) else repr(value)[:100]
    return UsageError(
        f"{spelt(place)} in {where} is {held}",
        f"it must be {key.kind.says}: {key.says}",
        f"for example: {spelt(place)} = {key.example}",
    )


def read_value(place: Place, text: str) -> Any:
    """The value a person wrote for a setting on the command line. Raises UsageError."""
    key = find_key(place)
    if key is None:
        raise no_such(place, "what you wrote")
    try:
        value = key.kind.read(text)
    except ValueError:
        value = text
        if key.kind is ANY:
            raise UsageError(
                f"{text!r} is not a TOML value", "text needs quotes of its own", f"for example: {key.example}"
            ) from None
    if not key.kind.fits(value):
        raise _wrong(place, value, key, "what you wrote")
    return value
