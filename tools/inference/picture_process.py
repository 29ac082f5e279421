"""Draws what a model found onto the picture; as a child process, `python -m outrider.tools.inference.picture_process`.
May touch: nothing but its own memory: a picture comes on stdin, a PNG goes out on stdout.
Does not promise: to end by itself; a picture is hostile until shown otherwise.

stdin: {"data", "boxes": [{"label", "score", "box"}], "masks": [{"label", "score", "mask"}]}, base64.
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
    sys.stdout.buffer.write(_drawn(json.load(sys.stdin)))


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
