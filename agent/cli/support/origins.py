"""Where each setting of a run is from: a flag, a profile, the environment, the configuration file, or nowhere.
May touch: reads the environment and the configuration. Does not promise: what a model is found when none is named.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from outrider.agent.cli.flags import RunFlags
from outrider.agent.settings.config import config_file, read_config, with_profile
from outrider.agent.settings.keys import KEYS, Key, Place, find_key, no_such, place_of, settings_in, spelt

FLAGS = {"model": "model", "base_url": "base_url", "api_key_env": "api_key_env", "price_in": "price_in",
         "price_out": "price_out", "max_context": "max_context", "adapter": "adapter", "memory": "memory", "isolation": "isolation",
         "budget.usd": "usd", "budget.tokens": "tokens", "budget.steps": "steps", "budget.seconds": "seconds",
         "budget.wall_seconds": "wall_seconds", "budget.calls": "calls", "budget.soft": "soft"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One setting. value None: nobody set it, and `default` says in words what holds then."""

    name: str
    value: Any
    origin: str
    says: str
    default: str


def rows(flags: RunFlags, profile: str | None) -> list[Row]:
    """Every setting, in the order of the documentation; those with a name of one's own where they are set."""
    file = read_config()
    named = profile or os.environ.get("OUTRIDER_PROFILE", "").strip()
    merged = with_profile(file, named)
    own = dict(settings_in((file.get("profile") or {}).get(named) or {}, "profile", named)) if named else {}
    inside = {place[2:] for place in own}
    found = dict(settings_in(merged))
    return [_row(place, key, flags, found, inside, named) for place, key in _places(found)]


def row_of(name: str, flags: RunFlags, profile: str | None) -> Row:
    """One setting by its dotted name. Raises UsageError for a name that is none."""
    place = place_of(name)
    if find_key(place) is None:
        if held := _table(name, place, profile):
            return held
        raise no_such(place, "what you wrote")
    if place[0] == "profile":
        value = _value_at(read_config(), place)
        return Row(name, value, _file() if value is not None else "default", "", "not set")
    for row in rows(flags, profile):
        if place_of(row.name) == place:
            return row
    value = _value_at(with_profile(read_config(), profile), place)
    key = find_key(place)
    return Row(
        name, value, _file() if value is not None else "default", key.says if key else "", key.default if key else ""
    )


def _table(name: str, place: Place, profile: str | None) -> Row | None:
    """A whole table, such as `budget`."""
    value = _value_at(with_profile(read_config(), profile) if place[0] != "profile" else read_config(), place)
    return Row(name, value, _file(), "a table", "") if isinstance(value, Mapping) else None


def _value_at(config: Mapping[str, Any], place: Place) -> Any:
    here: Any = config
    for part in place:
        if not isinstance(here, Mapping) or part not in here:
            return None
        here = here[part]
    return here


def _places(found: Mapping[Place, Any]) -> Iterator[tuple[Place, Key]]:
    for key in KEYS:
        if "*" not in key.place:
            yield key.place, key
            continue
        yield from ((place, key) for place in found if find_key(place) is key)


def _row(place: Place, key: Key, flags: RunFlags, found: Mapping[Place, Any], inside: set[Place], profile: str) -> Row:
    name = spelt(place)
    given = getattr(flags, FLAGS[name]) if name in FLAGS else None
    said = os.environ.get(key.variable, "").strip() if key.variable else ""
    if given is not None:
        return Row(name, given, f"flag --{FLAGS[name].replace('_', '-')}", key.says, key.default)
    if place in inside:
        return Row(name, found[place], f"profile {profile}", key.says, key.default)
    if said:
        return Row(name, said, f"environment {key.variable}", key.says, key.default)
    if place in found:
        return Row(name, found[place], _file(), key.says, key.default)
    return Row(name, None, "default", key.says, key.default)


def _file() -> str:
    return f"file {config_file()}"
