"""Whether a piece of Python may be run again, so that a resumed run gets its variables back: judged by its words alone.
Touches nothing. Errs on the side of no: what is not known to be harmless is not repeated.
Does not promise the same values: a file may have changed since. That no effect is repeated is the aim, and the sandbox
still holds whatever this misjudges.
"""

from __future__ import annotations

import ast

MODULES = frozenset(
    {
        *("array", "base64", "bisect", "calendar", "cmath", "collections", "copy", "csv", "dataclasses", "datetime"),
        *(
            "decimal",
            "difflib",
            "enum",
            "fractions",
            "functools",
            "hashlib",
            "heapq",
            "io",
            "itertools",
            "json",
            "math",
        ),
        *("matplotlib", "numbers", "numpy", "operator", "pandas", "pathlib", "pprint", "re", "statistics", "string"),
        *("struct", "textwrap", "types", "typing", "unicodedata", "zlib", "zoneinfo"),
    }
)
_NAMES = frozenset({"eval", "exec", "compile", "input", "__import__", "breakpoint", "exit", "quit", "tools", "globals"})
_ATTRIBUTES = frozenset(
    {
        *(
            "now",
            "today",
            "utcnow",
            "unlink",
            "rename",
            "replace_file",
            "rmdir",
            "mkdir",
            "touch",
            "chmod",
            "symlink_to",
        ),
        *(
            "hardlink_to",
            "savefig",
            "save",
            "savez",
            "savetxt",
            "tofile",
            "dump",
            "writelines",
            "writerow",
            "writerows",
        ),
        *(
            "execute",
            "executemany",
            "executescript",
            "commit",
            "system",
            "popen",
            "urlopen",
            "show",
            "random",
            "sample",
        ),
    }
)
_PREFIXES = ("write", "to_", "__")
_READS = frozenset(
    {"to_dict", "to_list", "to_numpy", "to_string", "to_datetime", "to_numeric", "to_timedelta", "to_frame"}
)


def why_not_again(code: str) -> str:
    """ "" if the code may be run again; else what in it speaks against that."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return "it does not parse"
    for node in ast.walk(tree):
        reason = _against(node)
        if reason:
            return reason
    return ""


def _against(node: ast.AST) -> str:
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
        unknown = [name for name in names if name.split(".")[0] not in MODULES]
        return f"it imports {unknown[0]}" if unknown else ""
    if isinstance(node, ast.Name) and node.id in _NAMES:
        return f"it uses {node.id}"
    if isinstance(node, ast.Attribute):
        name = node.attr
        guilty = name in _ATTRIBUTES or (name.startswith(_PREFIXES) and name not in _READS)
        return f"it uses .{name}" if guilty else ""
    if isinstance(node, ast.Call) and _opens_to_write(node):
        return "it opens a file for writing"
    return ""


def _opens_to_write(call: ast.Call) -> bool:
    """A call of open, or of a path's open, whose mode is not known to be for reading."""
    name = (
        call.func.id
        if isinstance(call.func, ast.Name)
        else call.func.attr
        if isinstance(call.func, ast.Attribute)
        else ""
    )
    if name != "open":
        return False
    at = 1 if isinstance(call.func, ast.Name) else 0
    modes = [k.value for k in call.keywords if k.arg == "mode"] + call.args[at : at + 1]
    return any(not isinstance(m, ast.Constant) or set(str(m.value)) - set("rbt") for m in modes)
