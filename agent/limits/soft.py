"""The soft limit: at a share of any hard limit the model is told to wrap up, once, and the person sees it.
Touches nothing. Does not promise: that a model does; the hard limit stands behind it.
"""

from __future__ import annotations

from decimal import Decimal

from outrider.agent.budget import UNITS, Ledger
from outrider.agent.state import WRAP_UP


def soft_note(ledger: Ledger) -> str:
    """What to tell the model once the share `budget.soft` of a limit is used, "" before that or without one.

    Told from the events alone, not from the clock: a run replayed from its journal reads the same.
    """
    share = ledger.budget.soft
    if share is None:
        return ""
    spent, reached = ledger.spent, []
    for unit in UNITS:
        limit = getattr(ledger.budget, unit)
        if limit is None:
            continue
        used = ledger.worked_s if unit == "seconds" else ledger.worked_s + ledger.waited_s
        if not unit.endswith("seconds"):
            used = getattr(spent, unit)
        if Decimal(str(used)) >= Decimal(str(share)) * Decimal(str(limit)):
            reached.append(f"{_shown(unit, used)} of {_shown(unit, limit)} {unit.replace('_', ' ')}")
    if not reached:
        return ""
    return f"{WRAP_UP} {', '.join(reached)} are used. Finish what matters most and answer with what you have."


def _shown(unit: str, value: object) -> str:
    return f"{Decimal(str(value)):.4f}" if unit == "usd" else f"{float(str(value)):,.0f}"
