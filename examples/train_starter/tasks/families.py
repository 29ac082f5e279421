"""The families of goals the starter model is taught, each with its weight.

A family takes (rng, test) and returns a `Scenario`. Adding a skill to the starter is one function and one line here.
May touch: nothing. Start reading at `FAMILIES`.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from examples.train_starter.scenario import Scenario
from examples.train_starter.tasks import arithmetic, custom_tools, files, tables, web_and_hub

Family = Callable[[random.Random, str], Scenario]


FAMILIES: dict[str, tuple[float, Family]] = {
    "arithmetic": (8, arithmetic.arithmetic),
    "table": (14, tables.table),
    "text": (10, tables.text_question),
    "file_stats": (5, tables.file_stats),
    "read": (7, files.read),
    "write": (8, files.write),
    "sum_and_write": (5, files.sum_and_write),
    "list": (3, files.list_them),
    "search_files": (4, files.search_them),
    "edit": (2, files.edit),
    "web": (12, web_and_hub.web),
    "page": (3, web_and_hub.page),
    "hub_find": (5, web_and_hub.hub_find),
    "hub_about": (6, web_and_hub.hub_about),
    "custom": (32, custom_tools.custom),
    "memory": (5, custom_tools.remember),
    "python_other": (2, arithmetic.python_other),
    "no_tool": (4.5, custom_tools.no_tool),
    "shell": (1.5, arithmetic.shell),
}
