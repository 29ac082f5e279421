"""What a run came to, printed once, the moment it is on disk and before anything is torn down: the answer on stdout with
a mark beside it for each claim nothing supports, the rest on stderr; and the exit code.
May touch: the two streams. Does not promise: that somebody reads them; the run is kept, and the message says where.
"""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, NoReturn

import typer

from outrider.agent.cli.output import OutputLost, ReaderGone, out, out_json, out_lines, say

if TYPE_CHECKING:
    from outrider.agent.cli.progress import Progress
    from outrider.agent.history.run_view import Run


class Conclusion:
    """Prints a run's end. Made before the run, so that it holds the stdout the answer goes to."""

    def __init__(self, progress: Progress, *, as_json: bool) -> None:
        self._progress, self._as_json = progress, as_json
        self._stdout = sys.stdout
        self._shown = ""  # the run and how it had ended when it was shown
        self._lost = False

    @property
    def for_a_program(self) -> bool:
        """Whether a program reads stdout: it gets one object, and nobody is asked for more."""
        return self._as_json

    def show(self, run: Run) -> None:
        """Print what `run` came to, unless that was done already. Never raises: the run is over and on disk."""
        from outrider.agent.cli.progress import ending

        mark = f"{run.id} {run.state} {run.stop_reason} {len(run.answer)} {run.spent.steps}"
        if mark == self._shown:
            return
        self._shown = mark
        self._progress.clear()
        try:
            with redirect_stdout(self._stdout):
                self._print(run)
        except ReaderGone:
            pass  # its exit code still tells
        except OutputLost as lost:
            self._lost = True
            say(f"the answer could not be printed\n  why: {lost.why}\n  fix: it is kept: outrider show {run.id}")
        self._progress.show(ending(run))

    def leave(self, run: Run) -> NoReturn:
        """Show the run if that was not done, and exit with its code, or 2 if its answer went nowhere."""
        self.show(run)
        self._progress.ring()
        raise typer.Exit(OutputLost.exit_code if self._lost else run.exit_code)

    def _print(self, run: Run) -> None:
        from outrider.agent.review.lines import Line, one_line
        from outrider.memory.text import for_terminal

        if self._as_json:
            out_json(run.as_json())
            return
        if run.schema is not None:
            self._print_data(run)
            return
        if answer := for_terminal(str(run.answer)).strip("\n"):
            out(answer)
        if not run.summary:
            marks = [one_line(claim, 300) for claim in run.answer.unsupported]
            out_lines([Line(((claim, "plain"),), (("[no support] ", "warn"),)) for claim in marks])

    def _print_data(self, run: Run) -> None:
        """Data alone goes to stdout, for a program reads it; words instead of data, and marks, go to stderr."""
        from outrider.agent.review.lines import one_line
        from outrider.agent.structured.reading import shown

        if run.value is not None:
            out(shown(run.answer))
        elif run.answer:
            say(f"not the data that was asked for: {run.answer}")
        for claim in run.answer.unsupported if not run.summary else ():
            say(f"[no support] {one_line(claim, 300)}")
