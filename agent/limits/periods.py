"""The limits over time of the configuration: dollars a day and a month, of all runs, of a label, of a model.
May touch: reads the configuration. Does not promise: to be asked by a run; agent/limits/purse.py is.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from outrider.agent.settings.config import read_config
from outrider.agent.settings.keys import spelt
from outrider.memory.spending import PeriodLimit

PERIODS: dict[str, Literal["day", "month"]] = {"usd_per_day": "day", "usd_per_month": "month"}


def period_limits(config: Mapping[str, Any] | None = None) -> tuple[PeriodLimit, ...]:
    """The limits of the configuration, the widest first. Raises UsageError for a configuration that is wrong."""
    table = (read_config() if config is None else config).get("limits") or {}
    found = _limits(table, ("limits",), None, None)
    for label, inner in (table.get("label") or {}).items():
        found += _limits(inner, ("limits", "label", label), label, None)
    for model, inner in (table.get("model") or {}).items():
        found += _limits(inner, ("limits", "model", model), None, model)
    return tuple(found)


def _limits(
    table: Mapping[str, Any], place: tuple[str, ...], label: str | None, model: str | None
) -> list[PeriodLimit]:
    return [
        PeriodLimit(spelt((*place, key)), Decimal(str(table[key])), per, label, model)
        for key, per in PERIODS.items()
        if key in table
    ]
