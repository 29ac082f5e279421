"""Alembic migrations: one file a schema version, run when a database is opened."""
