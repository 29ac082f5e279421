"""The one family of errors a person may see. Imports nothing; every room raises these.
Subclassed by who must act: the user, the model's provider, or whoever runs the machine.
Does not promise: that a bug is one of these; anything else that escapes is ours to fix.
"""

from __future__ import annotations

from typing import ClassVar


class OutriderError(Exception):
    """Something we expected could go wrong; `str()` is fit to show to a person.

    what: what happened; why: the cause as far as it is known; fix: what the reader can do now.
    `exit_code` is what the command line ends with.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, why: str, fix: str) -> None:
        super().__init__(what, why, fix)  # positional, so it survives pickling
        self.what, self.why, self.fix = what, why, fix

    def __str__(self) -> str:
        return f"{self.what}\n  why: {self.why}\n  fix: {self.fix}"


def words_of(error: BaseException) -> str:
    """Why something failed, for a person: of a file "No such file or directory", without a number and its name again."""
    if isinstance(error, UnicodeError):
        return "it is not text in UTF-8"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


class UsageError(OutriderError):
    """The user must act: a flag, a file, a setting, a folder."""

    exit_code: ClassVar[int] = 2


class StoreError(OutriderError):
    """Whoever runs the machine must act: the database or its disk cannot be used."""

    exit_code: ClassVar[int] = 2


class NoDatabase(UsageError):
    """There is no database where one must be."""


class RunExists(UsageError):
    """There is a run of the id that a new one was to have."""


class OldDatabase(StoreError):
    """A database to read that an earlier version wrote: it must be migrated first."""


class LeaseLost(StoreError):
    """Another process drives this run (or took it over); this one may not write any more."""

    exit_code: ClassVar[int] = 4


class ModelUnavailable(OutriderError):
    """No model, or the model cannot be reached or used."""

    exit_code: ClassVar[int] = 5
