"""The tables, and which version of them this program writes. Touches nothing until `store.py` hands it a connection.
Does not promise: that a database of a later version can be read; `store.py` refuses it by name.

An event's `id` is `run number * 2**32 + seq`: one integer key gives clustering, paging from the end, and the row id of
the full-text index, with no second index to write at each step.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text

from outrider.memory.database_file import SCHEMA

VERSION = SCHEMA
SEQ_BITS = 32

metadata = MetaData()
_Big = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER PRIMARY KEY is SQLite's own row id

runs = Table(
    "runs",
    metadata,
    Column("number", _Big, primary_key=True, autoincrement=True),
    Column("run_id", Text, nullable=False, unique=True),
    Column("created_at", Text, nullable=False),
    Column("label", Text, nullable=False, default=""),
    Column("parent", Text),  # the run this one was forked from or delegated by
    Column("fork_seq", Integer),  # set on a fork: events up to here are the parent's
    Column("head_seq", Integer, nullable=False, default=0),
    Column("head_hash", LargeBinary, nullable=False, default=b""),
    Column("fence", Integer, nullable=False, default=0),  # grows each time a writer takes the run
    Column("holder", Text, nullable=False, default=""),
    Column("beat", Float, nullable=False, default=0.0),  # seconds since 1970, the holder's clock
)

events = Table(
    "events",
    metadata,
    Column("id", _Big, primary_key=True, autoincrement=False),
    Column("run_id", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("at", Text, nullable=False),  # UTC, ISO 8601 with microseconds
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),  # JSON
    Column("hash", LargeBinary, nullable=False),  # blake2b-256 of previous hash + kind + at + body
)

blobs = Table(
    "blobs",
    metadata,
    Column("digest", Text, primary_key=True),  # blake2b-256 of data, hex
    Column("data", LargeBinary, nullable=False),
)

spending = Table(
    "spending",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("day", Text, primary_key=True),  # of the machine, ISO 8601
    Column("label", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("nano_usd", BigInteger, nullable=False),  # billionths of a dollar, open reservations included
)

# Goals that share a budget, and what of it each run has set aside: all it may spend until it asks for more.
fleets = Table(
    "fleets",
    metadata,
    Column("fleet", Text, primary_key=True),
    Column("name", Text, nullable=False),  # the file of goals, or what a person named it
    Column("round", Integer, nullable=False),  # grows when the same goals are to be answered again
    Column("nano_usd_limit", BigInteger),  # NULL: none
    Column("tokens_limit", BigInteger),
    Column("nano_usd", BigInteger, nullable=False),  # what its runs have set aside in all
    Column("tokens", BigInteger, nullable=False),
)

fleet_shares = Table(
    "fleet_shares",
    metadata,
    Column("fleet", Text, primary_key=True),
    Column("run_id", Text, primary_key=True),
    Column("nano_usd", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
)

# What each run comes to, told from its events (summary.py): dropped and made again at any time, never the only copy.
summaries = Table(
    "summaries",
    metadata,
    Column("number", _Big, primary_key=True, autoincrement=False),
    Column("goal", Text, nullable=False),  # its beginning, in one line
    Column("model", Text, nullable=False),
    Column("reason", Text, nullable=False),  # why it stopped, "" while it has not
    Column("detail", Text, nullable=False),
    Column("goals", Integer, nullable=False),
    Column("usd", Text, nullable=False),  # exact
    Column("tokens", _Big, nullable=False),
    Column("steps", Integer, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("tools", Text, nullable=False),  # JSON: calls by tool
    Column("days", Text, nullable=False),  # JSON: by day and model [dollars, tokens, steps]
    Column("upto_seq", Integer, nullable=False),  # the event it was told up to
)

# What the model hub listed: looked up when there is no network, and replaced whenever it is asked.
listings = Table(
    "listings",
    metadata,
    Column("source", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("body", Text, nullable=False),  # JSON
    Column("at", Text, nullable=False),  # UTC, ISO 8601
)

# What people say to a run from another process (inbox/): an answer to its question about a call, or that it should stop.
requests = Table(
    "requests",
    metadata,
    Column("number", _Big, primary_key=True, autoincrement=True),
    Column("run_id", Text, nullable=False),
    Column("call_id", Text, nullable=False),  # "": the run as a whole
    Column("digest", Text, nullable=False),  # of what was shown; of a stop the lease it is meant for
    Column("action", Text, nullable=False),  # approve, deny, expire or cancel
    Column("scope", Text, nullable=False),  # once, run or always
    Column("arguments", Text),  # JSON: those the call gets instead; none: as it was shown
    Column("reason", Text, nullable=False),
    Column("via", Text, nullable=False),  # terminal, page, cli or api
    Column("who", Text, nullable=False),
    Column("at", Text, nullable=False),  # UTC, ISO 8601
)

meta = Table(
    "outrider_schema",
    metadata,
    Column("version", Text, primary_key=True),
)

Index("runs_parent", runs.c.parent)
Index("spending_day", spending.c.day)
Index("requests_one_each", requests.c.run_id, requests.c.call_id, requests.c.digest, unique=True)

# Full text over what was observed, answered and noted. Contentless: the words are indexed, the text stays in `events`.
SQLITE_FTS = "CREATE VIRTUAL TABLE recall USING fts5(text, content='', tokenize='porter unicode61')"
SQLITE_VOCAB = "CREATE VIRTUAL TABLE recall_words USING fts5vocab(recall, 'row')"
POSTGRES_FTS = (
    "CREATE TABLE recall (id BIGINT PRIMARY KEY, words TSVECTOR NOT NULL)",
    "CREATE INDEX recall_gin ON recall USING gin (words)",
)


def full_text(dialect: str) -> tuple[str, ...]:
    """The statements that make the full-text index of a dialect."""
    return (SQLITE_FTS, SQLITE_VOCAB) if dialect == "sqlite" else POSTGRES_FTS
