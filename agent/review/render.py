"""Puts lines on a terminal, into a pipe, or into an SVG file. Plain text where nobody watches: rich is imported for people.
May touch: the stream it was given. Does not promise: that the reader is still there; a closed pipe is the caller's to meet.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TextIO

from outrider.agent.review.lines import Line, Part
from outrider.memory.text import for_terminal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

LEAST = 20  # columns a body needs beside its head
WIDEST = 110  # columns; longer lines are hard to read
# Colours of the terminal's own palette, and one in between that can be read on light and on dark.
STYLES = {
    "plain": "",
    "dim": "dim",
    "strong": "bold",
    "tool": "cyan",
    "good": "green",
    "bad": "red",
    "warn": "color(166)",
    "quote": "italic",
}


class Painter:
    """Writes lines to one stream: wrapped and coloured on a terminal, one plain line each elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.console: Console | None = None
        if stream.isatty():
            self.console = _console(stream)

    def show(self, lines: Iterable[Line]) -> None:
        """Write lines. Raises OSError when the stream is gone."""
        if self.console is None:
            self.stream.write("".join(f"{plain(line)}\n" for line in lines))
            self.stream.flush()
            return
        width = min(self.console.width, WIDEST)
        for line in lines:
            for row in wrapped(line, width):
                self.console.print(row)


def _console(stream: TextIO) -> Console:
    from rich.console import Console

    class Ours(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # rich would end the program here, with exit code 1

    return Ours(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True)


def plain(line: Line) -> str:
    """One line of text, not wrapped."""
    text = "".join(_tame(text) for text, _ in (*line.head, *line.body))
    return f"{text}  ({line.right})" if line.right else text.rstrip()


def wrapped(line: Line, width: int) -> list[Text]:
    """The rows of a line on `width` columns; the body keeps clear of what stands at the right edge."""
    from rich.cells import cell_len
    from rich.text import Text

    head, body = _text(line.head), _text(line.body)
    right = line.right if len(line.right) < width // 2 else ""
    room = width - head.cell_len - (len(right) + 2 if right else 0)
    if room < LEAST and head.cell_len:  # too narrow for two columns
        whole = Text.assemble(head, body, Text(f"  ({line.right})" if line.right else "", "dim"))
        return _wrap(whole, width)
    rows = _wrap(body, room)
    out = []
    for number, row in enumerate(rows):
        first = Text.assemble(head if number == 0 or "│" in head.plain else Text(" " * head.cell_len), row)
        if number == 0 and right:
            first.append(" " * max(2, width - cell_len(first.plain) - len(right)))
            first.append(right, "dim")
        out.append(first)
    if line.right and not right:
        out.append(Text.assemble(Text(" " * head.cell_len), (line.right, "dim")))
    return out


def _wrap(body: Text, room: int) -> list[Text]:
    from rich.console import Console

    console = Console(file=io.StringIO(), width=room)
    return list(body.wrap(console, room, overflow="fold")) or [body]


def _text(parts: tuple[Part, ...]) -> Text:
    from rich.text import Text

    return Text.assemble(*((_tame(text), STYLES[style]) for text, style in parts))


def _tame(text: str) -> str:
    """The last look at a text, whoever made the line: it drives nothing."""
    return for_terminal(text)


def svg(
    lines: Iterable[Line], title: str, width: int = 96, picture: Callable[[str], bytes | None] = lambda digest: None
) -> str:
    """A picture of a terminal that shows `lines`: one SVG document that loads nothing from anywhere.

    picture(digest): the PNG a line names, drawn below it as a thumbnail, or None.
    """
    from rich.console import Console
    from rich.terminal_theme import TerminalTheme

    console = Console(
        record=True, width=width, file=io.StringIO(), force_terminal=True, color_system="truecolor",
        highlight=False, markup=False, emoji=False, legacy_windows=False,
    )  # fmt: skip
    rows, thumbnails = 0, []
    for line in lines:
        for row in wrapped(line, width):
            console.print(_drawable(row))
            rows += 1
        if line.picture and (png := picture(line.picture)) and png.startswith(PNG) and len(png) <= MOST_PICTURE:
            thumbnails.append(_thumbnail(png, rows))
            console.print("\n" * (THUMBNAIL_ROWS - 1))
            rows += THUMBNAIL_ROWS
    theme = TerminalTheme(
        (22, 27, 34),
        (214, 220, 228),
        [(22, 27, 34), (255, 123, 114), (86, 211, 100), (227, 179, 65), (121, 192, 255), (210, 168, 255), (118, 216, 220),
         (214, 220, 228)],
    )  # fmt: skip
    drawn = console.export_svg(title=title, theme=theme, code_format=_SVG, unique_id="outrider")
    before, end, after = drawn.rpartition("</g>\n</svg>")
    return before + "".join(thumbnails) + end + after


def _thumbnail(png: bytes, row: int) -> str:
    """The picture in its place below row `row`; rich draws a character 12.2 wide and a row 24.4 high."""
    data = base64.b64encode(png).decode("ascii")
    height = THUMBNAIL_ROWS * 24.4 - 12
    return (
        f'<image x="49" y="{row * 24.4 + 6:.1f}" width="800" height="{height:.0f}" '
        f'preserveAspectRatio="xMinYMin meet" href="data:image/png;base64,{data}"/>\n'
    )


def _drawable(row: Text) -> Text:
    """XML cannot hold these two, not even escaped."""
    return (
        row
        if not re.search("[\ufffe\uffff]", row.plain)
        else _text(((re.sub("[\ufffe\uffff]", "", row.plain), "plain"),))
    )


PNG = b"\x89PNG\r\n\x1a\n"
MOST_PICTURE = 1_000_000  # bytes of a picture that is drawn; a larger one is only named
THUMBNAIL_ROWS = 10

_SVG = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: system-ui, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix" xml:space="preserve">
{matrix}
</g>
</g>
</svg>
"""
