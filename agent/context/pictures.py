"""Pictures that come with a goal: made small enough for a model that sees, a path for one that does not.
May touch: reads the files it is given; a child process that decodes them. Does not promise: that a model looks well.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from outrider.memory.errors import UsageError
from outrider.memory.events import Attachment
from outrider.memory.given.file import read_given
from outrider.memory.store import digest_of
from outrider.tools.inference.pictures import shrunk

A_PICTURE = "a picture"  # what the note of one begins with
MOST_BYTES = 50_000_000  # of one picture as it is given
Image = str | Path | bytes


async def with_pictures(
    attachments: Sequence[Attachment], images: Sequence[Image], workspace: str, *, sees: bool
) -> tuple[Attachment, ...]:
    """What a goal comes with, its pictures ready for the model. Raises UsageError for what is no picture or out of reach."""
    root = _root(workspace)
    kept = []
    for one in attachments:
        is_picture = one.note.startswith(A_PICTURE) and one.path
        kept.append(await _named(one, root, sees) if is_picture else one)
    for number, image in enumerate(images, 1):
        name, path, data = _read(image, number, root)
        if not sees and not path:
            raise UsageError(
                f"{name!r} cannot be given to this model",
                "it is not shown pictures, and tools see only what lies in the workspace",
                "copy it into the workspace, or use a model that sees (or `sees = true` in the configuration)",
            )
        kept.append(await _shown(Attachment(name=name, path=path, size=len(data), note=A_PICTURE), data, sees))
    return tuple(kept)


def _root(workspace: str) -> Path:
    return Path(workspace).expanduser().resolve()


async def _named(one: Attachment, root: Path, sees: bool) -> Attachment:
    """A picture that was named after the goal: one that cannot be decoded stays a path, like any file."""
    try:
        return await _shown(one, (root / one.path).read_bytes(), sees)
    except (UsageError, OSError):
        return one.model_copy(update={"note": f"{A_PICTURE} that cannot be decoded; tools get its path"})


async def _shown(one: Attachment, data: bytes, sees: bool) -> Attachment:
    made = await shrunk(data)
    if made is None:
        raise UsageError(f"{one.name!r} is no picture", "it cannot be decoded", "give a PNG, JPEG, GIF or WebP file")
    size = f"{made.width} × {made.height}"
    if not sees:
        how = f"{A_PICTURE} of {size} pixels that this model is not shown; hub_run can describe or read it"
        return one.model_copy(update={"note": how})
    how = f"{A_PICTURE}, shown to the model at {made.shown_width} × {made.shown_height}"
    return one.model_copy(
        update={"note": how, "picture": digest_of(made.data), "media_type": made.media_type, "data": made.data}
    )


def _read(image: Image, number: int, root: Path) -> tuple[str, str, bytes]:
    """(name, path in the workspace or "", bytes)."""
    if isinstance(image, bytes):
        return f"picture {number}", "", image
    file = Path(image).expanduser()
    try:
        data = read_given(file, MOST_BYTES)
    except OSError as error:
        raise UsageError(f"{str(image)!r} cannot be read", error.strerror or str(error), "check the path") from None
    resolved = file.resolve()
    inside = str(resolved.relative_to(root)) if resolved.is_relative_to(root) else ""
    return file.name, inside, data
