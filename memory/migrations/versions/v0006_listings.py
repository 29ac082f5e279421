"""What the model hub listed, kept with its date, so that searches can be answered without a network. Starts empty."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Written out rather than taken from schema.py, which will have moved on."""
    op.create_table(
        "listings",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
    )
