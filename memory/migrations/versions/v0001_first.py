"""The first schema: runs, their events, blobs, and full text over what was observed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Written out rather than taken from schema.py, which will have moved on."""
    big = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "runs",
        sa.Column("number", big, primary_key=True, autoincrement=True),
        sa.Column("run_id", sa.Text, nullable=False, unique=True),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("parent", sa.Text),
        sa.Column("fork_seq", sa.Integer),
        sa.Column("head_seq", sa.Integer, nullable=False),
        sa.Column("head_hash", sa.LargeBinary, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("beat", sa.Float, nullable=False),
    )
    op.create_index("runs_parent", "runs", ["parent"])
    op.create_table(
        "events",
        sa.Column("id", big, primary_key=True, autoincrement=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "blobs",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_table("outrider_schema", sa.Column("version", sa.Text, primary_key=True))
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE recall USING fts5(text, content='', tokenize='porter unicode61')")
        op.execute("CREATE VIRTUAL TABLE recall_words USING fts5vocab(recall, 'row')")
    else:
        op.execute("CREATE TABLE recall (id BIGINT PRIMARY KEY, words TSVECTOR NOT NULL)")
        op.execute("CREATE INDEX recall_gin ON recall USING gin (words)")
