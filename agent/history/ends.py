"""How a run can end: the states people see, and the exit code of each. Touches nothing; light, for a list of thousands.
Does not promise: why; `stop_reason` and `detail` of a run say it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from outrider.memory.events import StopReason

NO_ANSWER = "No answer was reached"  # how the ending begins that no model wrote (agent/ending.py)
RunState = Literal[
    "answered", "partial", "not_found", "refused", "stuck", "invalid", "failed", "interrupted", "running"
]
EXIT_CODES: dict[RunState, int] = {
    "answered": 0, "partial": 3, "interrupted": 4, "running": 4, "failed": 5, "not_found": 6, "refused": 7, "stuck": 8,
    "invalid": 9,
}  # fmt: skip
STATES: dict[StopReason, RunState] = {
    "answered": "answered", "partial": "partial", "budget": "partial", "not_found": "not_found", "refused": "refused",
    "denied": "refused", "stuck": "stuck", "invalid": "invalid", "unable": "failed", "model": "failed", "error": "failed",
    "interrupted": "interrupted",
}  # fmt: skip


def state(reason: str, *, held: bool) -> RunState:
    """The state of a run that stopped for `reason` ("": it has not stopped) and is driven by a process or not."""
    if not reason:
        return "running" if held else "interrupted"
    return STATES.get(reason, "failed")  # type: ignore[call-overload, no-any-return]


def reasons_of(states: Collection[str]) -> list[str]:
    """Every reason a run in one of these states may have stopped for; "" for one that has not."""
    return [reason for reason, of in STATES.items() if of in states] + [""] * bool(
        {"running", "interrupted"} & set(states)
    )
