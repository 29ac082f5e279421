"""What is allowed, asked about and denied, as a table: settings, flags, tool and effect → decision."""

from __future__ import annotations

from typing import Any

import pytest

from outrider.memory.errors import UsageError
from outrider.memory.events import Decision, Effect
from outrider.tools.policy import Policy
from outrider.tools.policy.reach import Reach

EFFECTS: tuple[Effect, ...] = ("read", "execute", "write", "network", "spend")
Row = tuple[dict[str, Any], tuple[str, ...], str, Effect, Decision]
TABLE: list[Row] = [
    # settings, --yes, tool, effect, decision
    ({}, (), "look", "read", "allow"),
    ({}, (), "python", "execute", "allow"),
    ({}, (), "write_file", "write", "allow"),
    ({}, (), "send", "network", "ask"),
    ({}, (), "buy", "spend", "ask"),
    ({"network": "deny"}, (), "send", "network", "deny"),
    ({"network": "deny"}, (), "buy", "spend", "ask"),
    ({"read": "ask"}, (), "look", "read", "ask"),
    ({"tools": {"send": "allow"}}, (), "send", "network", "allow"),
    ({"tools": {"send": "allow"}}, (), "buy", "network", "ask"),
    ({"network": "allow", "tools": {"send": "deny"}}, (), "send", "network", "deny"),
    ({"tools": {"look": "deny"}}, (), "look", "read", "deny"),
    ({}, ("network",), "send", "network", "allow"),
    ({}, ("network",), "buy", "spend", "ask"),
    ({}, ("send",), "send", "network", "allow"),
    ({}, ("send",), "send", "spend", "allow"),
    ({}, ("send",), "buy", "spend", "ask"),
]


@pytest.mark.parametrize(("settings", "yes", "tool", "effect", "decision"), TABLE)
def test_policy_decides_as_the_table_says(
    settings: dict[str, Any], yes: tuple[str, ...], tool: str, effect: Effect, decision: Decision
) -> None:
    """By tool before by effect; what sends or spends asks; and a stored policy decides the same."""
    policy = Policy.of(settings, yes=yes)
    assert policy.decide(Reach(tool, effect))[0] == decision
    assert Policy.of(policy.as_json()).decide(Reach(tool, effect))[0] == decision
    assert policy.decide(Reach(tool, effect))[1]


@pytest.mark.parametrize("effect", EFFECTS)
def test_everything_denied_lets_nothing_through(effect: Effect) -> None:
    """A policy that denies every effect allows no tool that nobody named."""
    policy = Policy.of(dict.fromkeys(EFFECTS, "deny"))
    assert policy.decide(Reach("anything", effect))[0] == "deny"


@pytest.mark.parametrize(
    "settings",
    [{"networks": "deny"}, {"network": "no"}, {"network": None}, {"tools": {"send": "maybe"}}, {"tools": []}],
)
def test_a_policy_that_is_misspelt_is_refused(settings: dict[str, Any]) -> None:
    """A wrong word never means the default: the run does not start."""
    with pytest.raises(UsageError):
        Policy.of(settings)
