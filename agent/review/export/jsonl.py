"""The journal itself as JSON lines: what `outrider import` and `outrider verify` on another machine need.
Touches the journal, to read. Does not promise: masking beyond what was masked when it was recorded.
"""

from __future__ import annotations

from collections.abc import Iterator

from outrider.memory.journal import Journal
from outrider.memory.transfer import dump


def write(journal: Journal) -> Iterator[str]:
    """The file in pieces."""
    for line in dump(journal):
        yield line + "\n"
