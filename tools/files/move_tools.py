"""Moves, copies and deletes files of the workspace: move_file, copy_file, delete_file. What they did can be undone.
May touch: files and folders inside the workspace, nothing outside (paths.py); nothing that is there is overwritten.
Does not promise: to undo empty folders, or what is too large to keep (it says so, or refuses).
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from posixpath import normpath

from outrider.tools.files import walk
from outrider.tools.files.guarded import is_secret
from outrider.tools.files.kept import Form
from outrider.tools.files.paths import READ, Place, missing, place, refuse_guarded, shown
from outrider.tools.files.writing import MAX_WRITE, is_database, put_file, replace_file
from outrider.tools.tool import Change, Observation, ToolContext, ToolError, tool

MAX_FILES = 300  # of a folder that is moved, copied or deleted at once
MAX_KEPT = 50_000_000  # bytes of a call that are kept for `undo`


@dataclass(frozen=True, slots=True)
class Held:
    """A file that is about to be moved or deleted: its path, and its content unless it is too large to keep."""

    path: str
    data: bytes | None
    form: Form = ""


@tool(effect="write", serial=True)
def move_file(path: str, to: str, ctx: ToolContext) -> Observation:
    """Move or rename a file or folder of the workspace. What is already there is not overwritten.

    path: the file, relative to the workspace
    to: its new name, or the folder to put it into
    """
    with place(ctx.workspace, path) as at:
        held = _source(at, path)
        with _target(ctx.workspace, to, at) as new:
            _rename(at, new)
            new_path = new.path
    changes = []
    for one in held:
        moved = new_path + one.path[len(at.path) :]
        if one.data is not None:
            changes += [Change(one.path, one.data, None, form=one.form), Change(moved, None, one.data)]
    large = [shown(one.path) for one in held if one.data is None]
    note = f" (undo cannot put back {', '.join(large[:5])}: too large to keep)" if large else ""
    return Observation(f"moved {shown(at.path)} to {shown(new_path)}{note}", changes=tuple(changes))


@tool(effect="write", serial=True)
def copy_file(path: str, to: str, ctx: ToolContext) -> Observation:
    """Copy a file or folder of the workspace. What is already there is not overwritten.

    path: the file, relative to the workspace
    to: the name of the copy, or the folder to put it into
    """
    with place(ctx.workspace, path) as at:
        held = _source(at, path, whole=True)
        with _target(ctx.workspace, to, at) as new:
            new_path = new.path
    if new_path.startswith(f"{at.path}/"):
        raise ToolError(f"{shown(path)} was not copied", "a folder cannot hold itself", "copy it to another place")
    changes = []
    for one in held:
        copy = new_path + one.path[len(at.path) :]
        with place(ctx.workspace, copy, make_folders=True) as file:
            replace_file(file, copy, one.data or b"")
        changes.append(Change(copy, None, one.data))
    many = f" ({len(held)} files)" if len(held) != 1 else ""
    return Observation(f"copied {shown(at.path)} to {shown(new_path)}{many}", changes=tuple(changes))


@tool(effect="write", serial=True)
def delete_file(path: str, ctx: ToolContext) -> Observation:
    """Delete a file or folder of the workspace; the person can undo it.

    path: the file, relative to the workspace
    """
    with place(ctx.workspace, path) as at:
        held = _source(at, path, whole=True)
        if _is_folder(at):
            for one in held:
                put_file(ctx.workspace, one.path, None)
            _remove_folders(at)
        else:
            os.unlink(at.name, dir_fd=at.folder)
        many = f" ({len(held)} files)" if len(held) != 1 else ""
    return Observation(
        f"deleted {shown(at.path)}{many}",
        changes=tuple(Change(one.path, one.data, None, form=one.form) for one in held),
    )


# ---- what is moved ---------------------------------------------------------------------------------------------------


def _is_folder(at: Place) -> bool:
    found = at.status()
    return found is not None and stat.S_ISDIR(found.st_mode)


def _source(at: Place, path: str, *, whole: bool = False) -> list[Held]:
    """The files at a place. Raises ToolError for what is missing, guarded, the workspace itself, a link or a database.

    whole: every file's content must be kept; one too large is refused.
    """
    if at.status() is None:
        raise missing(at, path)
    if not at.name:
        raise ToolError("the workspace itself stays", "only what is in it may be moved", "name a file in it")
    refuse_guarded(at.root, at.path, path)
    asked = normpath(path)
    if not any(asked == name or asked.endswith(f"/{name}") for name in (at.path, shown(at.path))):
        real = f"it is a link to {shown(at.path)}, or goes through one"
        raise ToolError(f"{shown(path)} is left alone", real, f"name {shown(at.path)} itself")
    held, kept = [], 0
    for file in _files(at):
        kept += len(file.data or b"")
        if kept > MAX_KEPT or (whole and file.data is None):
            why = "it is too large to be kept for undo"
            raise ToolError(f"{shown(file.path)} is left alone", why, "ask the person to do it")
        held.append(file)
        if len(held) > MAX_FILES:
            raise ToolError(f"{shown(path)} is left alone", f"it holds over {MAX_FILES} files", "name its parts")
    return held


def _files(at: Place) -> Iterator[Held]:
    if not _is_folder(at):
        yield _held(at)
        return
    top = at.open_folder()
    try:
        for entry in walk.entries(top, f"{at.path}/", deep=True):
            if entry.kind == "folder":
                refuse_guarded(at.root, entry.path, entry.path)
                if entry.name in walk.NOT_ENTERED:
                    why = f"{shown(entry.path)} belongs to another program"
                    raise ToolError(f"{shown(at.path)} is left alone", why, "ask the person to do it")
            elif entry.kind == "file":
                yield _held(Place(entry.folder, entry.name, entry.path, at.root))
            else:
                fix = "ask the person to do it"
                raise ToolError(f"{shown(at.path)} is left alone", f"{shown(entry.path)} is a {entry.kind}", fix)
    finally:
        os.close(top)


def _held(at: Place) -> Held:
    refuse_guarded(at.root, at.path, at.path)
    found = at.status()
    if found is None or not stat.S_ISREG(found.st_mode):
        raise ToolError(f"{shown(at.path)} is left alone", "it is a device, pipe or socket", "name a file")
    if is_database(at):
        why = "it is a database (it may hold this very run)"
        raise ToolError(f"{shown(at.path)} is left alone", why, "ask the person to do it")
    if is_secret(at.path, at.root):
        raise ToolError(f"{shown(at.path)} is left alone", "files of that name hold keys", "ask the person to do it")
    if found.st_size > MAX_WRITE:
        return Held(at.path, None)
    with os.fdopen(os.open(at.name, READ, dir_fd=at.folder), "rb") as file:
        return Held(at.path, file.read(MAX_WRITE), "x" if found.st_mode & stat.S_IXUSR else "")


# ---- where it goes ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _target(workspace: Path, to: str, source: Place) -> Iterator[Place]:
    """The free place `to` means; inside it, where it is a folder that is there. Raises ToolError if it is taken."""
    with contextlib.ExitStack() as held:
        at = held.enter_context(place(workspace, to, make_folders=True))
        if _is_folder(at) or (at.status() is None and to.endswith("/")):
            to = f"{to.rstrip('/')}/{source.name}"
            at = held.enter_context(place(workspace, to, make_folders=True))
        refuse_guarded(at.root, at.path, to)
        if at.status() is not None:
            raise ToolError(f"{shown(to)} is there already", "nothing is overwritten", "choose another name")
        if f"{at.path}/".startswith(f"{source.path}/"):
            raise ToolError(
                f"{shown(source.path)} is left alone", "a folder cannot hold itself", "choose another place"
            )
        yield at


def _rename(at: Place, new: Place) -> None:
    """A rename that replaces nothing: a file is linked under its new name first, which fails where one is."""
    if not _is_folder(at):
        try:
            os.link(at.name, new.name, src_dir_fd=at.folder, dst_dir_fd=new.folder, follow_symlinks=False)
        except FileExistsError:
            raise ToolError(
                f"{shown(new.path)} is there already", "nothing is overwritten", "choose another name"
            ) from None
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS):
                raise
        else:
            os.unlink(at.name, dir_fd=at.folder)
            return
    os.rename(at.name, new.name, src_dir_fd=at.folder, dst_dir_fd=new.folder)


def _remove_folders(at: Place) -> None:
    """Remove a folder that holds only folders. Raises OSError when a file is in one, such as one made meanwhile."""
    top = at.open_folder()
    try:
        for name in os.listdir(top):  # noqa: PTH208  # a descriptor, not a path
            _remove_folders(Place(top, name, f"{at.path}/{name}", at.root))
    finally:
        os.close(top)
    os.rmdir(at.name, dir_fd=at.folder)
