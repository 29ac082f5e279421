"""The person's time zone: for code in the sandbox, for the line that tells a model the date.
Reads TZ, /etc/localtime, /etc/timezone and the machine's clock. Events are kept in UTC; only what is shown is local.
Does not promise: a zone's name where the machine has only an offset.
"""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path

ZONES = Path("/usr/share/zoneinfo")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,3}")
_POSIX = re.compile(r"[A-Za-z<][A-Za-z0-9<>+,./:-]{2,60}")


def zone_name() -> str:
    """The zone as the IANA names it ("Asia/Kolkata"), "" where that is not known."""
    given = os.environ.get("TZ", "").removeprefix(":")
    if given:
        return _named(given)
    try:
        return _named(str(Path("/etc/localtime").resolve())) or _named(Path("/etc/timezone").read_text("utf-8").strip())
    except (OSError, ValueError):
        return ""


def _named(given: str) -> str:
    name = given.rpartition("/zoneinfo/")[2]
    return name if _NAME.fullmatch(name) and (ZONES / name).is_file() else ""


def zone_for_code(*, zone_files: bool = True) -> str:
    """What TZ is to be where code runs: the name, or today's offset where there are no files of zones to look it up in."""
    if zone_files and (name := zone_name()):
        return name
    given = os.environ.get("TZ", "")
    if _POSIX.fullmatch(given) and any(char.isdigit() for char in given) and not given.startswith("/"):
        return given
    offset = datetime.now().astimezone().strftime("%z")  # "+0530"; POSIX counts the other way
    sign = "-" if offset.startswith("+") else "+"
    return f"<{offset[:5]}>{sign}{offset[1:3]}:{offset[3:5]}"


def today() -> str:
    """The line that tells a model the date: "Today is Saturday 2026-11-28 (Asia/Kolkata, UTC+05:30)"."""
    now = datetime.now().astimezone()
    offset = now.strftime("%z")
    zone = ", ".join(part for part in (zone_name(), f"UTC{offset[:3]}:{offset[3:5]}") if part)
    return f"Today is {now.strftime('%A %Y-%m-%d')} ({zone})."
