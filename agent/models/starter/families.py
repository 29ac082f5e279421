"""The families of goals the starter model is taught, each with its weight.

A family takes (rng, test) and returns a `Scenario`. Adding a skill to the starter is one function and one line here.
May touch: nothing. Start reading at `FAMILIES`.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from outrider.agent.models.starter import family_files, family_own, family_sums, family_tables, family_world
from outrider.agent.models.starter.scenario import Scenario

Family = Callable[[random.Random, str], Scenario]


FAMILIES: dict[str, tuple[float, Family]] = {
    "arithmetic": (8, family_sums.arithmetic),
    "table": (14, family_tables.table),
    "text": (10, family_tables.text_question),
    "file_stats": (5, family_tables.file_stats),
    "read": (7, family_files.read),
    "write": (8, family_files.write),
    "sum_and_write": (5, family_files.sum_and_write),
    "list": (3, family_files.list_them),
    "search_files": (4, family_files.search_them),
    "edit": (2, family_files.edit),
    "web": (12, family_world.web),
    "page": (3, family_world.page),
    "hub_find": (5, family_world.hub_find),
    "hub_about": (6, family_world.hub_about),
    "custom": (32, family_own.custom),
    "memory": (5, family_own.remember),
    "python_other": (2, family_sums.python_other),
    "no_tool": (4.5, family_own.no_tool),
    "shell": (1.5, family_sums.shell),
}
