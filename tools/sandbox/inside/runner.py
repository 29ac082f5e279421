"""Runs Python code in the confined process: the value of a last expression, a short traceback, figures, `tools`.
Everything here is inside the sandbox, beside code that may be hostile: the agent treats what it says as that code's word.
Does not promise anything to the agent; it makes an honest program behave as in a notebook.
"""
# Text paths and plain try: this runs while a worker starts, and pathlib and contextlib would double that time.
# ruff: noqa: PTH110

from __future__ import annotations

import _ast
import builtins
import os
import sys
import types

from outrider.tools.sandbox.inside import kernel as kernel
from outrider.tools.sandbox.inside import wire as wire
from outrider.tools.sandbox.inside.call import FROM_AGENT, TO_AGENT

TYPE_CHECKING = False  # as typing has it; typing itself is slow to import
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

LONGEST_VALUE = 20_000  # characters of a value's repr that are shown
_SYNTAX_TREE = 0x400  # ast.PyCF_ONLY_AST; the ast module itself is slow to import


class Runner:
    """One interpreter state: `run` may be called again and again."""

    def __init__(self, search_path: list[str], prefix: str) -> None:
        self._cells: dict[str, str] = {}
        main = types.ModuleType("__main__")
        main.__dict__["tools"] = Tools()
        for name in [name for name in sys.modules if name == "outrider" or name.startswith("outrider.")]:
            del sys.modules[name]  # stand-ins for the worker; the real package may be on the search path
        sys.modules["__main__"] = main
        sys.path[:] = ["", *search_path]
        sys.argv = [""]
        sys.prefix = sys.exec_prefix = prefix
        sys.dont_write_bytecode = True
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - kept for the life of the process
        sys.stdout, sys.stderr = _writer(1), _writer(2)
        _add_exit()
        self._names = main.__dict__

    def run(self, code: str) -> int:
        """Run one piece of code and send `done` with its value. Returns the exit status a script would have."""
        name = f"<cell {len(self._cells) + 1}>"
        self._cells[name] = code
        value, hint, status = None, b"", 0
        try:
            value = self._evaluate(code, name)
            figures = save_figures()
        except SystemExit as stop:
            status, figures = _status_of(stop), []
        except BaseException as error:
            status, figures, hint = 1, [], _hint(error)
            _show_error(error, name, self._cells)
        self._flush()
        shown = b"" if value is None else b"+" + _represent(value).encode("utf-8", "backslashreplace")
        self._flush()
        wire.send(TO_AGENT, b"done", str(status).encode(), hint, shown, "\n".join(figures).encode())
        return status

    def _evaluate(self, code: str, name: str) -> Any:
        tree = compile(code, name, "exec", _SYNTAX_TREE, dont_inherit=True)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], _ast.Expr) else None
        if tree.body:
            exec(compile(tree, name, "exec", dont_inherit=True), self._names)  # noqa: S102 - what this place is for
        if last is None:
            return None
        value = eval(compile(_ast.Expression(body=last.value), name, "eval", dont_inherit=True), self._names)  # noqa: S307 - what this place is for
        if value is not None:
            self._names["_"] = value
        return value

    @staticmethod
    def _flush() -> None:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except Exception:  # noqa: S112 - the code may have closed or replaced it
                continue
        kernel.flush_c_streams()


def _writer(fd: int) -> Any:
    """Text out, a line at a time: what was printed before a call is stopped is not lost."""
    return open(fd, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def finish(status: int) -> int:
    """What the interpreter does at the end of a script: wait for threads, run exit functions, write out."""
    try:
        threading = sys.modules.get("threading")
        if threading is not None:
            threading._shutdown()
        if "atexit" in sys.modules:
            sys.modules["atexit"]._run_exitfuncs()
        Runner._flush()
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        status = status or 1
    return status


def cells(runner: Runner) -> int:
    """A kept session: run what the agent sends until it closes the channel."""
    while True:
        try:
            code = wire.receive(FROM_AGENT)[0]
        except wire.Broken:
            return finish(0)
        runner.run(code.decode("utf-8", "surrogatepass"))


class Tools:
    """`tools.<name>(…)`: another tool of the agent, called by name with named arguments; its answer comes back."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)

        def call(**arguments: Any) -> Any:
            import json

            wire.send(TO_AGENT, b"call", name.encode(), json.dumps(arguments).encode())
            answer = json.loads(wire.receive(FROM_AGENT)[0])
            if "error" in answer:
                raise RuntimeError(answer["error"])
            return answer["value"]

        return call

    def __repr__(self) -> str:
        return "tools: call a tool of the agent by name, with named arguments"


def save_figures() -> list[str]:
    """Write every open matplotlib figure to the working folder, close it, and return the files' names."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return []
    names = []
    for number in pyplot.get_fignums():
        free = (f"plot-{i}.png" for i in range(1, 10_000))
        name = next(name for name in free if not os.path.exists(name))
        pyplot.figure(number).savefig(name, dpi=100, bbox_inches="tight")
        names.append(name)
    pyplot.close("all")
    return names


def _represent(value: Any) -> str:
    try:
        text = repr(value)
    except BaseException as error:
        text = f"<{type(value).__name__}: its repr raised {type(error).__name__}>"
    more = len(text) - LONGEST_VALUE
    return text if more <= 0 else f"{text[:LONGEST_VALUE]}… ({more} characters more)"


def _status_of(stop: SystemExit) -> int:
    """As the interpreter: None is 0, a number is itself, anything else is printed and 1."""
    if stop.code is None:
        return 0
    if isinstance(stop.code, int):
        return stop.code & 0xFF
    print(stop.code, file=sys.stderr)  # noqa: T201 - the code's stderr
    return 1


def _hint(error: BaseException) -> bytes:
    """Which limit the error speaks of, if any."""
    if isinstance(error, MemoryError):
        return b"memory"
    if isinstance(error, OSError) and error.errno in (27, 28, 122):  # EFBIG, ENOSPC, EDQUOT
        return b"disk"
    if isinstance(error, BlockingIOError) or "can't start new thread" in str(error):
        return b"processes"
    return b""


def _show_error(error: BaseException, name: str, cells: dict[str, str]) -> None:
    """The traceback from the first line of the cell called `name` on, with the lines of all cells."""
    import linecache
    import traceback

    for cell, code in cells.items():
        linecache.cache[cell] = (len(code), None, code.splitlines(keepends=True), cell)
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != name:
        trace = trace.tb_next
    try:
        text = "".join(traceback.format_exception(type(error), error, trace))
    except BaseException:  # an exception whose own text raises
        text = f"{type(error).__name__}\n"
    try:
        sys.stderr.write(text)
    except Exception:
        os.write(2, text.encode("utf-8", "backslashreplace"))


def _add_exit() -> None:
    """`exit` and `quit`, which the interpreter adds only to its own start."""
    import _sitebuiltins

    for name in ("exit", "quit"):
        setattr(builtins, name, _sitebuiltins.Quitter(name, "Ctrl-D"))
