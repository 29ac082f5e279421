"""The policy file: rules a person gave for always, in the data folder, beside the configuration and never in a workspace.
May touch: reads and writes that one file (mode 0600). Does not promise: order among rules of two processes at once.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from outrider.agent.settings.config import data_folder
from outrider.memory.errors import UsageError, words_of
from outrider.memory.given.file import read_given_text
from outrider.tools.policy import Policy, Rule

HEAD = "# Rules a person gave for always; the first that fits decides. docs/policy.md says what a rule may hold.\n"


def policy_file() -> Path:
    """Where it is: OUTRIDER_POLICY, or policy.toml in the data folder."""
    named = os.environ.get("OUTRIDER_POLICY")
    return Path(named).expanduser() if named else data_folder() / "policy.toml"


def read_policy_file() -> dict[str, Any]:
    """What it holds, checked; {} if there is none. Raises UsageError for a file that means nothing."""
    file = policy_file()
    try:
        read = tomllib.loads(read_given_text(file))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"the policy file {str(file)!r} cannot be read", words_of(error), "correct or remove it"
        ) from error
    Policy.of(read)
    return read


def with_policy_file(policy: Mapping[str, Any]) -> dict[str, Any]:
    """The policy of the configuration with the file's rules before its own."""
    file = read_policy_file()
    merged = dict(file) | dict(policy)
    for key in ("rules", "send_to"):
        if both := [*file.get(key, ()), *policy.get(key, ())]:
            merged[key] = both
    return merged


def add_rule(rule: Rule) -> None:
    """Write one more rule. Raises UsageError if the file cannot be written."""
    parts = [f"{name} = {json.dumps(value)}" for name, value in rule.as_json().items()]
    text = "\n".join(("", "[[rules]]", *parts, ""))
    file = policy_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = not file.exists()
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as opened:
            opened.write((HEAD if new else "") + text)
    except OSError as error:
        raise UsageError(
            f"the policy file {str(file)!r} cannot be written", words_of(error), "check the folder"
        ) from error
