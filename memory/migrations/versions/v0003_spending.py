"""What runs spent by day, label and model, for limits over time. Starts empty: what was spent before is not counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Written out rather than taken from schema.py, which will have moved on."""
    op.create_table(
        "spending",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("label", sa.Text, primary_key=True),
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("nano_usd", sa.BigInteger, nullable=False),
    )
    op.create_index("spending_day", "spending", ["day"])
