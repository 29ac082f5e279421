"""A run as the values its page shows: what it came to, its budget as bars, its answer with the evidence, its files.
Touches the journal and the blobs, to read. Does not promise: to read a long run quickly; a page that must be quick
shows steps a few at a time (story.outline).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from outrider.agent.history.file_changes import changes
from outrider.agent.history.run_view import Run
from outrider.agent.review.lines import dollars, duration
from outrider.agent.review.page.render import evidence, percent, text_diff
from outrider.memory.events import Attachment, FileChange, RunStarted
from outrider.memory.journal import Journal
from outrider.memory.store import Store

MOST_DIFF = 200_000  # bytes of each side of a file that is compared


@dataclass(frozen=True, slots=True)
class Bar:
    """What was used of one limit. `percent`: 0 … 100."""

    unit: str
    text: str
    percent: int


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of what a card points to; "" where there is nothing to point to."""

    picture: Callable[[str], str]
    whole: Callable[[str], str]
    child: Callable[[str], str]
    context: Callable[[int], str]
    event: Callable[[int], str]
    diff: Callable[[FileChange], list[tuple[str, str]]]
    fork: Callable[[int], str] = lambda seq: ""


def bars(run: Run) -> list[Bar]:
    """The spend against every limit of the run."""
    spent = run.spent
    shown: list[tuple[str, float | None, float, Callable[[float], str]]] = [
        ("dollars", _float(run.budget.usd), float(spent.usd), dollars),
        ("tokens", _float(run.budget.tokens), spent.tokens, _whole),
        ("steps", _float(run.budget.steps), spent.steps, _whole),
        ("calls", _float(run.budget.calls), spent.calls, _whole),
        ("time", _float(run.budget.seconds), spent.seconds, duration),
    ]
    return [
        Bar(unit, f"{say(used)} of {say(limit)}" if limit is not None else f"{say(used)}, no limit", percent(used, limit))
        for unit, limit, used, say in shown
    ]  # fmt: skip


def limits(run: Run) -> dict[str, float]:
    """The limits that are set, by unit."""
    found = {unit: _float(getattr(run.budget, unit)) for unit in ("usd", "tokens", "steps", "calls", "seconds")}
    return {unit: limit for unit, limit in found.items() if limit}


def head_values(journal: Journal, run: Run) -> dict[str, Any]:
    """What the `head` macro of parts.html needs, but for `links` and `verified`."""
    return {
        "run": run,
        "bars": bars(run),
        "pieces": evidence(str(run.answer), run.citations),
        "files": _last_changes(journal),
        "attachments": _attached(journal),
    }


def _attached(journal: Journal) -> tuple[Attachment, ...]:
    """What came with the first goal; of a later one its event says it."""
    first = journal.at(1).event
    return first.attachments if isinstance(first, RunStarted) else ()


def differ(store: Store) -> Callable[[FileChange], list[tuple[str, str]]]:
    """Compares both sides of a changed file, as far as both are text."""

    def diff(change: FileChange) -> list[tuple[str, str]]:
        before, after = _text(store, change.before), _text(store, change.after)
        if before is None or after is None:
            return [("@", "not text, or not kept: only that it changed is known")]
        return text_diff(before, after)

    return diff


def _last_changes(journal: Journal) -> list[FileChange]:
    """Each file once: as it was before the run's first change and after its last."""
    found: dict[str, FileChange] = {}
    for one in changes(journal.read()):
        before = found[one.change.path].before if one.change.path in found else one.change.before
        found[one.change.path] = FileChange(path=one.change.path, before=before, after=one.change.after)
    return [change for change in found.values() if change.before != change.after]


def _text(store: Store, digest: str | None) -> str | None:
    if digest is None:
        return ""
    data = store.get_blob(digest)
    if data is None or b"\0" in data[:8000] or len(data) > MOST_DIFF:
        return None
    return data.decode("utf-8", "replace")


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _whole(value: float) -> str:
    return f"{value:,.0f}"
