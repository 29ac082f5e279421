"""Brings an old database to the newest schema, inside the caller's transaction. Alembic does the work, without its
command line or files: `versions/` holds one module a version with `upgrade()`. Does not promise: a way back.
"""

from __future__ import annotations

import importlib
import pkgutil

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, delete, insert

from outrider.memory import schema
from outrider.memory.migrations import versions


def upgrade(db: Connection, version: str) -> None:
    """Apply every migration after `version` ("" for an empty database), oldest first."""
    with Operations.context(MigrationContext.configure(db)):
        for module in sorted(info.name for info in pkgutil.iter_modules(versions.__path__)):
            number = module.split("_")[0].removeprefix("v")
            if number > version:
                importlib.import_module(f"{versions.__name__}.{module}").upgrade()
    db.execute(delete(schema.meta))
    db.execute(insert(schema.meta).values(version=schema.VERSION))
