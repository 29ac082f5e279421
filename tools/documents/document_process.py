"""The child process that takes documents apart: `python -m outrider.tools.documents.document_process KIND URL`, killed at its deadline.
May touch: nothing but its own memory; a document is handed to it on stdin and text comes out on stdout.
Does not promise: to end by itself (1 MB of unclosed <p> keeps a parser busy for 13 s), nor to find the right text.

KIND: one of `READERS`. stdout: one JSON object a line: {"title"}, {"parts": how many}, {"part": its name, "text"},
{"refresh": address}, {"note"}, {"error"}.
"""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterator

from outrider.tools.documents import html, office
from outrider.tools.documents.html import Row
from outrider.tools.process.limits import limit_self

MAX_CHARACTERS = 400_000
MAX_PAGES = 300
_LIBRARIES = frozenset({"pypdf", "docx", "pptx", "openpyxl", "lxml", "PIL", "zlib"})


def main() -> None:
    limit_self(cpu_s=60)
    said = 0
    try:
        for row in READERS[sys.argv[1]](sys.stdin.buffer.read(), sys.argv[2]):
            if "text" in row:
                row["text"] = str(row["text"])[:MAX_CHARACTERS]
                said += len(str(row["text"]))
            _say(row)
            if said > MAX_CHARACTERS:
                return
    except MemoryError:
        _say({"error": "it needs too much memory"})
    except Exception as error:  # what the libraries raise for a damaged document has no common base
        told = str(error) if isinstance(error, ValueError) and str(error).startswith("it ") else ""
        if not told and not _is_damage(error):
            raise
        _say({"error": told or f"it is damaged ({type(error).__name__})"})


def _is_damage(error: Exception) -> bool:
    usual = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError, SyntaxError)
    named = type(error).__module__.partition(".")[0] in _LIBRARIES
    return named or isinstance(error, (*usual, zipfile.BadZipFile, StopIteration, NotImplementedError, AssertionError))


def _say(row: Row) -> None:
    print(json.dumps(row), flush=True)  # noqa: T201  # the parent reads this


def _html_main(data: bytes, url: str) -> Iterator[Row]:
    return html.main_text(data.decode("utf-8", "replace"), url)


def _html_plain(data: bytes, url: str) -> Iterator[Row]:
    return html.plain_text(data.decode("utf-8", "replace"), url)


def _pdf(data: bytes, url: str) -> Iterator[Row]:
    import logging

    from pypdf import PdfReader

    logging.disable(logging.CRITICAL)
    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        yield {"error": "it is locked with a password"}
        return
    yield {"title": str((reader.metadata and reader.metadata.title) or "")}
    total = len(reader.pages)
    yield {"parts": total}
    for number in range(min(total, MAX_PAGES)):
        yield {"part": f"page {number + 1}", "text": reader.pages[number].extract_text()}


def _picture(data: bytes, url: str) -> Iterator[Row]:
    """What a picture is; what it shows takes a model that sees."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as picture:
        width, height = picture.size
        frames = getattr(picture, "n_frames", 1)
        many = f", {frames} frames" if frames > 1 else ""
        yield {"note": f"a {picture.format} picture of {width} × {height} pixels{many}"}


READERS: dict[str, Callable[[bytes, str], Iterator[Row]]] = {
    "html": _html_main, "plain": _html_plain, "pdf": _pdf, "docx": office.word, "pptx": office.slides, "xlsx": office.sheets,
    "opendocument": office.open_document, "epub": office.book, "picture": _picture,
}  # fmt: skip

if __name__ == "__main__":
    main()
