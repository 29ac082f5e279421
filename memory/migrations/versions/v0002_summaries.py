"""A row of totals for each run, told from its events, so that a list of thousands opens quickly."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from outrider.memory.run_index import told_so_far


def upgrade() -> None:
    """The table, and a row for every run there is."""
    big = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    table = op.create_table(
        "summaries",
        sa.Column("number", big, primary_key=True, autoincrement=False),
        sa.Column("goal", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("goals", sa.Integer, nullable=False),
        sa.Column("usd", sa.Text, nullable=False),
        sa.Column("tokens", big, nullable=False),
        sa.Column("steps", sa.Integer, nullable=False),
        sa.Column("calls", sa.Integer, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("tools", sa.Text, nullable=False),
        sa.Column("days", sa.Text, nullable=False),
        sa.Column("upto_seq", sa.Integer, nullable=False),
    )
    db = op.get_bind()
    for number, parent, fork_seq in db.execute(
        sa.text("SELECT number, parent, fork_seq FROM runs WHERE head_seq > 0")
    ).all():
        told = told_so_far(db, number, parent, fork_seq)
        db.execute(table.insert(), [{"number": number} | told.row()])
