"""A folder by its content: packed once, unpacked wherever a goal is worked on, and what changed there brought back.
Touches the folders it is given. Does not promise: to merge; a file that changed on both sides is kept beside the person's.

Links and what is no file are left out, and so is what an archive of a stranger could not hold: paths that lead out.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path, PurePosixPath

from outrider.memory.errors import UsageError

MOST_BYTES = 500_000_000  # of a folder that is shipped
MOST_FILES = 50_000
LEFT_OUT = frozenset({".git", ".venv", "node_modules", "__pycache__"})  # large, and of no use on another machine
Digests = dict[str, str]  # path in the folder → digest of the file


@dataclass(frozen=True, slots=True)
class Packed:
    """A folder: its digest, the digests of its files, the archive."""

    digest: str
    files: Digests
    data: bytes


@dataclass(frozen=True, slots=True)
class Changes:
    """What a goal did to its copy: an archive of files that are new or other, and the paths that are gone."""

    data: bytes = b""
    gone: tuple[str, ...] = ()


def pack(folder: Path) -> Packed:
    """A folder as it is now. Raises UsageError for one that is too large to ship."""
    files, out, size = Digests(), io.BytesIO(), 0
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, path in _files(folder):
            data = path.read_bytes()
            size += len(data)
            if size > MOST_BYTES or len(files) >= MOST_FILES:
                raise UsageError(f"the folder {str(folder)!r} is too large to ship to other machines",
                                 f"{MOST_BYTES // 1_000_000} MB and {MOST_FILES:,} files are the most",
                                 "name a smaller one with --workspace, or for each goal")  # fmt: skip
            files[name] = _digest(data)
            archive.writestr(name, data)
    told = "\n".join(f"{name} {digest}" for name, digest in sorted(files.items()))
    return Packed(_digest(told.encode("utf-8", "surrogateescape")), files, out.getvalue())


def unpack(data: bytes, folder: Path) -> None:
    """An archive into a folder. Raises UsageError for paths that lead out of it."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            target = _inside(folder, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(name))


def changes(folder: Path, before: Digests) -> Changes:
    """What is other in a folder than it was."""
    out, seen = io.BytesIO(), set[str]()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, path in _files(folder):
            seen.add(name)
            data = path.read_bytes()
            if before.get(name) != _digest(data):
                archive.writestr(name, data)
        many = len(archive.namelist())
    return Changes(out.getvalue() if many else b"", tuple(sorted(set(before) - seen)))


def bring_back(found: Changes, folder: Path, before: Digests, run_id: str) -> list[str]:
    """Write what a goal changed into the folder it was shipped from; returns the files that had to be kept beside others,
    for the person's own had changed meanwhile (or another goal's had come first)."""
    beside = []
    if found.data:
        with zipfile.ZipFile(io.BytesIO(found.data)) as archive:
            for name in archive.namelist():
                target, data = _inside(folder, name), archive.read(name)
                if not _untouched(target, before.get(name)) and not (target.is_file() and target.read_bytes() == data):
                    target = target.with_name(f"{target.name}.{run_id}")
                    beside.append(target.relative_to(folder).as_posix())
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
    for name in found.gone:
        target = _inside(folder, name)
        if target.is_file() and _untouched(target, before.get(name)):
            target.unlink()
    return beside


def _untouched(file: Path, before: str | None) -> bool:
    """Whether a file is still as it was shipped; one that was not shipped must not be there."""
    if file.is_symlink() or (file.exists() and not file.is_file()):
        return False
    return (_digest(file.read_bytes()) if file.is_file() else None) == before


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
        for name in sorted(names):
            path = Path(place, name)
            if path.is_file() and not path.is_symlink() and not name.startswith(".outrider-"):
                yield path.relative_to(folder).as_posix(), path


def _inside(folder: Path, name: str) -> Path:
    pure = PurePosixPath(name)
    target = folder / pure
    if pure.is_absolute() or ".." in pure.parts or not target.resolve().is_relative_to(folder.resolve()):
        raise UsageError(
            f"{name!r} leads out of the folder", "an archive must stay inside", "nothing was written there"
        )
    return target


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()
