"""`table`: SQL over a file of rows, answered by DuckDB in a child process that may open nothing but that file.
May touch: reads files of the workspace; a scratch folder of its own, which is removed.
Does not promise: to finish a huge file in time; it says so.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile

from outrider.tools.files.paths import open_file, place, shown
from outrider.tools.process.deadlines import in_child
from outrider.tools.tool import ToolContext, ToolError, tool

LIMIT_S = 110.0  # under the tool's time-out, so that the answer is ours
MAX_SQL = 20_000  # characters


@tool(effect="read", fresh_s=0, timeout_s=120)
async def table(path: str, ctx: ToolContext, sql: str = "", path2: str = "") -> str:
    """Ask a CSV, TSV, JSON, JSON Lines, Parquet or Excel file in SQL (DuckDB). Without sql: its columns and first rows.

    path: the file, relative to the workspace
    sql: one SELECT; the file is the table t
    path2: a second file, the table t2, to join
    """
    if len(sql) > MAX_SQL:
        raise ToolError("the SQL is too long", f"over {MAX_SQL:,} characters", "ask for less at once")
    seconds = max(0.5, min(LIMIT_S, ctx.seconds_left() - 0.5))
    with contextlib.ExitStack() as held, tempfile.TemporaryDirectory(prefix="outrider-table-") as folder:
        files = [_open(held, ctx, name, one) for name, one in ((path, "t"), (path2, "t2")) if name]
        asked = {"sql": sql, "folder": folder, "files": files}
        done = await in_child(
            "outrider.tools.data.table_process",
            stdin=json.dumps(asked).encode(),
            seconds=seconds,
            descriptors=[int(str(file["descriptor"])) for file in files],
        )
    if done.timed_out:
        raise ToolError(f"{shown(path)} was not read to its end", f"time was up after {seconds:.0f} s", "ask for less")
    try:
        said = json.loads(done.output)
    except ValueError:
        why = "the process that reads it ended: it may need too much memory"
        raise ToolError(f"{shown(path)} could not be read", why, "use a smaller file, or ask with python") from None
    if "what" in said:
        raise ToolError(said["what"], said["why"], said["fix"])
    return str(said["text"])


def _open(held: contextlib.ExitStack, ctx: ToolContext, path: str, table: str) -> dict[str, str | int]:
    """A file for the child: its descriptor, open as long as `held`, its name and its table. Raises ToolError."""
    at = held.enter_context(place(ctx.workspace, path))
    file = held.enter_context(os.fdopen(open_file(at, path), "rb"))
    return {"descriptor": file.fileno(), "name": shown(path), "table": table}
