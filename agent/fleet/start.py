"""Starts a batch, or goes on with it: opens the file of goals, finds the fleet it is kept under.
May touch: reads the file (what is piped in is kept in a temporary one first); the database's table of fleets.
Does not promise: to see lines that are added to the file while it is worked on.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from secrets import token_hex
from typing import IO, Any, cast

from outrider.agent.budget import Budget
from outrider.agent.fleet.batch import Batch, Runs
from outrider.agent.fleet.lines import Format, Item, Wrong, items_of, kind_of, read_lines
from outrider.agent.fleet.outcome import Outcome
from outrider.agent.limits.rates import Gates, Rate
from outrider.memory.errors import UsageError
from outrider.memory.spending.fleet import Slice, open_fleet

USUAL_USD = 1.0  # of one goal, where only the whole has a limit
MOST_JOBS = 10_000


@dataclass(slots=True)
class GoalFile:
    """An open file of goals. name: what its batch is found by. lines: about how many goals it holds. base: its folder."""

    file: IO[bytes]
    kind: Format
    name: str
    lines: int
    base: Path

    def read(self) -> Iterator[Item | Wrong]:
        """The goals, from the first."""
        self.file.seek(0)
        return read_lines(self.file, self.kind)


@contextmanager
def open_goals(path: str, kind: Format | None = None) -> Iterator[GoalFile]:
    """The file `path` names, "-" for what is piped in. Raises UsageError for one that cannot be read, or holds nothing."""
    with _opened(path) as file:
        lines = sum(bool(line.strip()) for line in file)
        file.seek(0)
        first = file.read(4096)
        found = kind or kind_of(None if path == "-" else Path(path), first)
        if not lines - (found == "csv") > 0:
            raise UsageError(f"there is no goal in {path!r}", "it is empty", "write one goal a line (docs/batch.md)")
        place = Path(path).expanduser().resolve()
        name = f"stdin {_digest(file)}" if path == "-" else str(place)
        yield GoalFile(file, found, name, lines - (found == "csv"), Path() if path == "-" else place.parent)


def limit_of(budget: Mapping[str, Any]) -> Slice:
    """The limit of a whole batch. Raises UsageError for units it cannot have and for what is no limit."""
    if strange := set(budget) - {"usd", "tokens"}:
        raise UsageError(f"a batch has no limit of {', '.join(sorted(strange))}", "only dollars and tokens are shared",
                         "give it to each goal instead")  # fmt: skip
    checked = Budget().raised(**budget)
    return Slice(None if checked.usd is None else Decimal(str(checked.usd)), checked.tokens)


def limits_of_each(limits: Mapping[str, Any], whole: Slice) -> dict[str, Any]:
    """The limits of one goal; with dollars over all it has some of its own, so that a price nobody knows is refused."""
    if whole.usd is None or limits.get("usd") is not None:
        return dict(limits)
    return {**limits, "usd": USUAL_USD}


@asynccontextmanager
async def begin(
    agent: Runs,
    goals: Path | Iterable[str | Mapping[str, Any]],
    *,
    jobs: int,
    name: str,
    budget: Mapping[str, Any],
    limits: Mapping[str, Any],
    rates: Mapping[str, Rate] | None,
    retry_failed: bool,
    fallback: Budget | dict[str, Any] | None,
) -> AsyncIterator[AsyncGenerator[Outcome]]:
    """The outcomes of a batch, for `Agent.batch`."""
    check_jobs(jobs)
    whole = limit_of(budget)
    usual = fallback.as_json() if isinstance(fallback, Budget) else dict(fallback or {})
    each = limits_of_each({**usual, **limits}, whole)

    def made(found: str, base: Path = Path()) -> Batch:
        fleet = open_fleet(agent.store, name or found, whole)
        return Batch(
            agent, fleet, jobs, each, gates=Gates(rates), retry_failed=retry_failed, aliases=aliases(), base=base
        )

    if isinstance(goals, Path):
        with open_goals(str(goals)) as file:
            yield made(file.name, file.base).outcomes(file.read())
    else:
        yield made(f"program {token_hex(8)}").outcomes(items_of(goals))


def aliases() -> Mapping[str, str]:
    """The names of models in the configuration."""
    from outrider.agent.settings.config import meant_model, read_config

    config = read_config()
    return {name: meant_model(name, config) for name in config.get("alias") or {}}


def check_jobs(jobs: int) -> None:
    """Raises UsageError for a number of jobs that cannot be."""
    if not 0 < jobs <= MOST_JOBS:
        raise UsageError(f"{jobs} is no number of jobs", f"1 to {MOST_JOBS:,} can be at work", "for example -j 32")


@contextmanager
def _opened(path: str) -> Iterator[IO[bytes]]:
    if path != "-":
        try:
            file = Path(path).expanduser().open("rb")
        except OSError as error:
            raise UsageError(
                f"{path!r} cannot be read", error.strerror or str(error), "name a file of goals"
            ) from error
        with file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # read twice: /dev/zero has no end
                raise UsageError(f"{path!r} cannot be read", "it is a pipe or a device", "pipe it in: outrider batch -")
            yield file
        return
    with tempfile.TemporaryFile(prefix="outrider-goals-") as kept:  # read twice, and its name is what it holds
        shutil.copyfileobj(sys.stdin.buffer if hasattr(sys.stdin, "buffer") else _bytes_of(sys.stdin), kept)
        kept.seek(0)
        yield cast(IO[bytes], kept)


def _bytes_of(stream: Any) -> IO[bytes]:
    import io

    return io.BytesIO(stream.read().encode())


def _digest(file: IO[bytes]) -> str:
    file.seek(0)
    digest = blake2b(digest_size=12)
    while piece := file.read(1 << 20):
        digest.update(piece)
    return digest.hexdigest()
