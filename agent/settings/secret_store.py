"""Where the value of a named secret comes from: the environment, then the keyring of the desktop, then a file with mode 0600.
May touch: reads the environment; the keyring, if the package `keyring` is installed and has one; the file secrets.toml in the
data folder (or OUTRIDER_SECRETS). Does not promise: secrecy from programs that run as you; nor a keyring where nobody is logged in.

A keyring cannot be asked for the names it holds, so the file keeps those too (never their values).
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from outrider.agent.settings.config import data_folder
from outrider.memory.errors import UsageError

SERVICE = "outrider"  # the name entries of the keyring stand under
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
FIRST = "# Secrets of Outrider, by name. Keep this file yours alone (mode 0600); see docs/policy.md.\n"
MOST = 100_000  # characters of a value


@dataclass(frozen=True, slots=True)
class Kept:
    """What the file holds: values, and names whose values are in the keyring."""

    values: dict[str, str] = field(default_factory=dict)
    in_keyring: tuple[str, ...] = ()


def secrets_file() -> Path:
    """The file, whether it is there or not."""
    named = os.environ.get("OUTRIDER_SECRETS")
    return Path(named).expanduser() if named else data_folder() / "secrets.toml"


def value_of(name: str) -> str | None:
    """The value of one secret; None if there is none. Raises UsageError when what is kept cannot be trusted or opened."""
    if value := os.environ.get(name):
        return value
    kept = read_kept()
    if name in kept.in_keyring and (value := _from_keyring(name)):
        return value
    return kept.values.get(name)


def values_of(names: Iterable[str]) -> dict[str, str]:
    """The values of those that there are."""
    return {name: value for name in names if (value := value_of(name))}


def where(name: str) -> str:
    """Where its value comes from: "environment", "keyring", "file", or "" if there is none."""
    if os.environ.get(name):
        return "environment"
    kept = read_kept()
    return "keyring" if name in kept.in_keyring else "file" if name in kept.values else ""


def read_kept() -> Kept:
    """What the file holds; nothing if there is none. Raises UsageError for one that others may read, or that is not one."""
    file = secrets_file()
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return Kept()
    except OSError as error:
        raise _unusable(error.strerror or str(error), "make it readable for yourself") from error
    with os.fdopen(descriptor, "rb") as opened:
        _refuse_wide(file, os.fstat(opened.fileno()))
        try:
            read = tomllib.loads(opened.read(10_000_000).decode("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise _unusable(f"it is not TOML: {error}", 'write lines such as NAME = "value"') from None
    named = read.pop("in_keyring", [])
    if not isinstance(named, list) or not all(isinstance(one, str) for one in [*named, *read.values()]):
        raise _unusable('each line must be NAME = "value"', "correct it, or use `outrider secrets set NAME`")
    return Kept({name: value for name, value in read.items() if value}, tuple(named))


def _refuse_wide(file: Path, about: os.stat_result) -> None:
    if not stat.S_ISREG(about.st_mode):
        raise _unusable("it is not a file", "remove it")
    if not hasattr(os, "getuid"):
        return
    if about.st_uid not in (os.getuid(), 0):
        raise _unusable("it belongs to somebody else", "remove it, and set the secrets again")
    if about.st_mode & 0o077:
        mode = stat.S_IMODE(about.st_mode)
        raise _unusable(f"others may read or change it (its mode is {mode:04o})", f"chmod 600 {file}")


def _unusable(why: str, fix: str) -> UsageError:
    return UsageError(f"the secrets in {str(secrets_file())!r} are not used", why, fix)


def keep(name: str, value: str) -> str:
    """Keep a secret in the keyring if there is one, else in the file; says where: "keyring" or "file". Raises UsageError."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name[:100]!r} cannot be the name of a secret", "letters, digits and _", "use such as API_TOKEN"
        )
    if not value or len(value) > MOST or "\0" in value:
        raise UsageError(f"the value of {name} cannot be kept", "it is empty or too long", "give the key itself")
    kept = read_kept()
    values = {key: one for key, one in kept.values.items() if key != name}
    if _to_keyring(name, value):
        _write(Kept(values, tuple(dict.fromkeys((*kept.in_keyring, name)))))
        return "keyring"
    _write(Kept(values | {name: value}, tuple(one for one in kept.in_keyring if one != name)))
    return "file"


def forget(name: str) -> bool:
    """Remove a secret; False if none of that name was kept (one of the environment is not ours to remove)."""
    kept = read_kept()
    if name in kept.in_keyring and (keyring := _keyring()):
        try:
            keyring.delete_password(SERVICE, name)
        except Exception as error:  # each backend has errors of its own
            if _from_keyring(name):
                raise UsageError(
                    f"{name} is still in the keyring", str(error)[:300], "unlock it and try again"
                ) from None
    if name not in kept.values and name not in kept.in_keyring:
        return False
    values = {key: one for key, one in kept.values.items() if key != name}
    _write(Kept(values, tuple(one for one in kept.in_keyring if one != name)))
    return True


def _write(kept: Kept) -> None:
    """Replace the file in one step; it is the owner's alone from its first byte."""
    import tomlkit

    document: Any = tomlkit.document()
    if kept.in_keyring:
        document["in_keyring"] = list(kept.in_keyring)
    for name, value in kept.values.items():
        document[name] = value
    file = Path(os.path.realpath(secrets_file()))
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=".secrets-")  # mkstemp: mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(FIRST + tomlkit.dumps(document))
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


# ---- the keyring -----------------------------------------------------------------------------------------------------


def has_keyring() -> bool:
    """Whether there is a keyring that can keep something."""
    return _keyring() is not None


def _keyring() -> Any:
    """The package, if it is installed and found a keyring; None otherwise."""
    try:
        import keyring
        from keyring.backends import fail, null
    except ImportError:
        return None
    try:
        backend = keyring.get_keyring()
        usable = not isinstance(backend, fail.Keyring | null.Keyring) and float(backend.priority) > 0
        return keyring if usable else None
    except Exception:  # a backend that cannot even be looked at is none
        return None


def _from_keyring(name: str) -> str | None:
    keyring = _keyring()
    if keyring is None:
        raise UsageError(
            f"the secret {name} cannot be read",
            "it is in a keyring, and there is none now",
            f"set {name} in the environment",
        )
    try:
        value: str | None = keyring.get_password(SERVICE, name)
    except Exception as error:
        raise UsageError(
            f"the secret {name} cannot be read", f"the keyring says: {str(error)[:300]}", "unlock it"
        ) from None
    return value


def _to_keyring(name: str, value: str) -> bool:
    keyring = _keyring()
    if keyring is None:
        return False
    try:
        keyring.set_password(SERVICE, name, value)
        return bool(keyring.get_password(SERVICE, name) == value)
    except Exception:  # locked, or it takes no such value: the file does
        return False
