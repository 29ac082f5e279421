"""Many goals under one budget: the fleets there are, and what of its budget each run has set aside. Starts empty."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Written out rather than taken from schema.py, which will have moved on."""
    op.create_table(
        "fleets",
        sa.Column("fleet", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("nano_usd_limit", sa.BigInteger),
        sa.Column("tokens_limit", sa.BigInteger),
        sa.Column("nano_usd", sa.BigInteger, nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "fleet_shares",
        sa.Column("fleet", sa.Text, primary_key=True),
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("nano_usd", sa.BigInteger, nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
    )
