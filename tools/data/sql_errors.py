"""What a database said of a bad query, with what would be right. Touches nothing.
Does not promise: to understand every message; what it does not know is given as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from outrider.tools.tool import ToolError

_COLUMN = re.compile(r'no such column: "?([^"\n]+?)"?(?: - should|$)|column "?([^"\s]+)"? does not exist')
_TABLE = re.compile(r'no such table: (\S+)|relation "([^"]+)" does not exist')


def explained(said: str, name: str, tables: Sequence[str], columns: Sequence[str]) -> ToolError:
    """The error of a query on the database `name`, which has these tables and columns."""
    for kind, pattern, known in (("column", _COLUMN, columns), ("table", _TABLE, tables)):
        if found := pattern.search(said):
            wanted = (found[1] or found[2]).rpartition(".")[2]
            low = {one.lower(): one for one in known}
            near = get_close_matches(wanted.lower(), low, n=2, cutoff=0.5)
            hint = f"did you mean {' or '.join(low[one] for one in near)}? " if near else ""
            there = f"the tables are {', '.join(tables[:30])}"
            return ToolError(f"there is no {kind} {wanted!r}", f"{name} does not have it", f"{hint}{there}")
    if re.search(r"not authorized|authorization denied|readonly|read-only|attempt to write|prohibited", said):
        return ToolError("that SQL is not run", "this tool only reads", "write one SELECT")
    if "one statement at a time" in said or "multiple commands" in said:
        return ToolError("that SQL is not run", "it is more than one statement", "write one SELECT")
    fix = f"the tables are {', '.join(tables[:30])}" if tables else "check the SQL"
    return ToolError("the SQL failed", " ".join(said.split())[:300], fix)
