"""Draws what a model found onto a picture, or makes it small enough to be shown; as a child process, `python -m outrider.tools.inference.picture_process`.
May touch: nothing but its own memory: a picture comes on stdin, a PNG goes out on stdout.
Does not promise: to end by itself; a picture is hostile until shown otherwise.

stdin: {"data", "boxes": [{"label", "score", "box"}], "masks": [{"label", "score", "mask"}]}, base64; or
{"data", "most_side", "most_bytes"}: then stdout is JSON with "data", "media_type" and sizes.
"""

from __future__ import annotations

import base64
import io
import json
import sys
from typing import Any

from outrider.tools.process.limits import limit_self

COLOURS = (
    "#d81b60",
    "#1e88e5",
    "#ffc107",
    "#004d40",
    "#8e24aa",
    "#f4511e",
    "#3949ab",
    "#7cb342",
)  # told apart by most eyes
MOST_PIXELS = 50_000_000


def main() -> None:
    limit_self(cpu_s=60)
    asked = json.load(sys.stdin)
    sys.stdout.buffer.write(_shrunk(asked) if "most_side" in asked else _drawn(asked))


def _shrunk(asked: dict[str, Any]) -> bytes:
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    data = base64.b64decode(asked["data"])
    with Image.open(io.BytesIO(data)) as opened:
        kind, frames = str(opened.format), getattr(opened, "n_frames", 1)
        picture: Any = ImageOps.exif_transpose(opened)
        turned = picture.size != opened.size
    width, height = picture.size
    fits = max(width, height) <= asked["most_side"] and len(data) <= asked["most_bytes"]
    if not (fits and kind in ("PNG", "JPEG", "WEBP", "GIF") and frames == 1 and not turned):
        picture.thumbnail((asked["most_side"], asked["most_side"]))
        data, kind = _smaller(picture, asked["most_bytes"])
    sizes = {"width": width, "height": height, "shown_width": picture.size[0], "shown_height": picture.size[1]}
    told = {"data": base64.b64encode(data).decode(), "media_type": f"image/{kind.lower()}", **sizes}
    return json.dumps(told).encode()


def _smaller(picture: Any, most: int) -> tuple[bytes, str]:
    """A PNG if that is small enough, else a JPEG: text keeps its edges where it can."""
    out = io.BytesIO()
    picture.convert("RGBA" if "A" in picture.getbands() else "RGB").save(out, "PNG", optimize=False)
    if out.tell() <= most:
        return out.getvalue(), "PNG"
    out = io.BytesIO()
    picture.convert("RGB").save(out, "JPEG", quality=85)
    return out.getvalue(), "JPEG"


def _drawn(asked: dict[str, Any]) -> bytes:
    from PIL import Image, ImageDraw, ImageFont

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    with Image.open(io.BytesIO(base64.b64decode(asked["data"]))) as opened:
        picture = opened.convert("RGB")
    for number, row in enumerate(asked["masks"]):
        with Image.open(io.BytesIO(base64.b64decode(row["mask"]))) as opened:
            mask = opened.convert("L").resize(picture.size).point(lambda level: 110 if level > 127 else 0)
        picture.paste(Image.new("RGB", picture.size, COLOURS[number % len(COLOURS)]), mask=mask)
    drawing = ImageDraw.Draw(picture)
    thick = max(2, min(picture.size) // 200)
    font = ImageFont.load_default(size=max(12, min(picture.size) // 30))
    for number, row in enumerate(asked["boxes"]):
        colour, box = COLOURS[number % len(COLOURS)], _inside(row["box"], picture.size)
        drawing.rectangle(box, outline=colour, width=thick)
        words = f"{row['label'][:40]} {row['score']:.2f}"
        place = (box[0] + thick, box[1] + thick)
        drawing.rectangle(drawing.textbbox(place, words, font=font), fill=colour)
        drawing.text(place, words, fill="white" if colour != "#ffc107" else "black", font=font)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _inside(box: list[int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """A box with its corners in order and within the picture."""
    left, right = sorted(max(0, min(int(x), size[0] - 1)) for x in (box[0], box[2]))
    top, bottom = sorted(max(0, min(int(y), size[1] - 1)) for y in (box[1], box[3]))
    return left, top, right, bottom


if __name__ == "__main__":
    main()
