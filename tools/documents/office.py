"""Text of office documents: Word, PowerPoint, Excel, OpenDocument, EPUB, each part under its page, sheet, slide or chapter.
May touch: nothing. Runs in the child of document_process.py, under its limits: a zip may be a bomb.
Does not promise: layout, headers, comments or tracked changes; formulas of a workbook are given by their last values.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from outrider.tools.documents.html import Row, plain, visible

MAX_UNPACKED = 400_000_000  # bytes a zip says it holds
MAX_RATIO = 200  # how much a large part may shrink to; text seldom passes 20
MAX_CELLS = 400_000
MAX_LOOKED_AT = 50_000_000  # bytes of a sheet


def opened(data: bytes) -> zipfile.ZipFile:
    """The zip, if it is not a bomb. Raises ValueError."""
    book = zipfile.ZipFile(io.BytesIO(data))
    parts = book.infolist()
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MAX_UNPACKED or (unpacked > 50_000_000 and unpacked > len(data) * MAX_RATIO):
        raise ValueError("it unpacks to too much")
    return book


def word(data: bytes, url: str) -> Iterator[Row]:
    """Paragraphs and tables in their order; headings with # signs, rows with bars."""
    from docx import Document
    from docx.table import Table

    opened(data)
    document = Document(io.BytesIO(data))
    yield {"title": document.core_properties.title or ""}
    lines = []
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            lines += [" | ".join(" ".join(cell.text.split()) for cell in _cells(row)) for row in block.rows]
            continue
        style = str(getattr(block.style, "name", "") or "")
        level = int(style[8:]) if style.startswith("Heading ") and style[8:].isdigit() else 1 if style == "Title" else 0
        if block.text.strip():
            lines.append("#" * min(level, 6) + (" " if level else "") + block.text)
    yield {"text": "\n".join(lines)}


def _cells(row: Any) -> list[Any]:
    """The cells of a row; one that is merged over several columns once."""
    found: list[Any] = []
    for cell in row.cells:
        if not found or cell._tc is not found[-1]._tc:
            found.append(cell)
    return found


def slides(data: bytes, url: str) -> Iterator[Row]:
    """The text of each slide, its tables, and its notes."""
    from pptx import Presentation

    opened(data)
    show = Presentation(io.BytesIO(data))
    yield {"title": show.core_properties.title or ""}
    yield {"parts": len(show.slides)}
    for number, slide in enumerate(show.slides, start=1):
        lines = [line for shape in slide.shapes for line in _shape(shape)]
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            notes = slide.notes_slide.notes_text_frame.text.strip()
            lines += [f"(notes: {notes})"] if notes else []
        yield {"part": f"slide {number}", "text": "\n".join(lines)}


def _shape(shape: Any) -> Iterator[str]:
    if shape.has_text_frame and shape.text_frame.text.strip():
        yield shape.text_frame.text
    if getattr(shape, "has_table", False):
        for row in shape.table.rows:
            yield " | ".join(" ".join(cell.text.split()) for cell in row.cells)
    for inner in getattr(shape, "shapes", ()):
        yield from _shape(inner)


_UNCOUNTED = re.compile(rb"</f>\s*(?:<v\s*/>|<v>\s*</v>|</c>)|<f\b[^>]*/>\s*(?:<v\s*/>|</c>)")


def uncounted(archive: zipfile.ZipFile) -> str:
    """A note on formulas that hold no value: a program wrote them, and no spreadsheet has worked them out yet."""
    found = 0
    for name in archive.namelist():
        if re.fullmatch(r"xl/worksheets/[^/]+\.xml", name):
            with archive.open(name) as part:
                found += len(_UNCOUNTED.findall(part.read(MAX_LOOKED_AT)))
    many = f"{found:,} formula{' has' if found == 1 else 's have'} no stored value and count as empty"
    return f"{many}: open and save the file in a spreadsheet program" if found else ""


def sheets(data: bytes, url: str) -> Iterator[Row]:
    """The rows of each sheet, cells parted by bars, under their numbers."""
    from openpyxl import load_workbook

    if note := uncounted(opened(data)):
        yield {"note": note}
    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    yield {"title": book.properties.title or ""}
    yield {"parts": len(book.worksheets)}
    room = MAX_CELLS
    for sheet in book.worksheets:
        sheet.reset_dimensions()
        lines, cut = [], ""
        for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
            cells = ["" if value is None else " ".join(str(value).split()) for value in row]
            room -= len(cells)
            if room < 0:
                cut = "\n… (further rows left out: ask with table)"
                break
            if any(cells):
                lines.append(f"{number}: {' | '.join(cells).rstrip(' |')}")
        yield {"part": f"sheet {sheet.title}", "text": "\n".join(lines) + cut}


# ---- by their XML ----------------------------------------------------------------------------------------------------


def _xml(book: zipfile.ZipFile, name: str) -> Any:
    """The root of a part. No entity is looked up, nothing is fetched."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    return etree.fromstring(book.read(name), parser)


def open_document(data: bytes, url: str) -> Iterator[Row]:
    """Text, rows and slides of an OpenDocument file."""
    book = opened(data)
    root = _xml(book, "content.xml")
    pages = [one for one in root.iter() if _name(one) == "page" or (_name(one) == "table" and not _within(one, "text"))]
    if not pages:
        yield {"text": "\n".join(_blocks(root))}
        return
    yield {"parts": len(pages)}
    for number, page in enumerate(pages, start=1):
        named = next((value for key, value in page.attrib.items() if str(key).endswith("}name")), str(number))
        yield {"part": f"{'sheet' if _name(page) == 'table' else 'slide'} {named}", "text": "\n".join(_blocks(page))}


def _name(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _within(element: Any, name: str) -> bool:
    return any(_name(one) == name for one in element.iterancestors())


def _blocks(root: Any) -> Iterator[str]:
    """Paragraphs and headings; a table's rows in one line each."""
    for element in root.iter():
        name = _name(element)
        if name == "table-row":
            cells = [" ".join("".join(cell.itertext()).split()) for cell in element if _name(cell) == "table-cell"]
            if any(cells):
                yield " | ".join(cells).rstrip(" |")
        elif name in ("p", "h") and not _within(element, "table-row"):
            text = " ".join("".join(element.itertext()).split())
            if text:
                yield text


def book(data: bytes, url: str) -> Iterator[Row]:
    """The chapters of an EPUB in their reading order."""
    archive = opened(data)
    place = next(
        one.get("full-path") for one in _xml(archive, "META-INF/container.xml").iter() if _name(one) == "rootfile"
    )
    package = _xml(archive, place)
    items = {one.get("id"): one.get("href") for one in package.iter() if _name(one) == "item"}
    spine = [items.get(one.get("idref")) for one in package.iter() if _name(one) == "itemref"]
    yield {"title": next((one.text or "" for one in package.iter() if _name(one) == "title"), "")}
    yield {"parts": len(spine)}
    for number, href in enumerate(spine, start=1):
        if href:
            yield {
                "part": f"chapter {number}",
                "text": _chapter(archive, posixpath.join(posixpath.dirname(place), unquote(href))),
            }


def _chapter(archive: zipfile.ZipFile, name: str) -> str:
    try:
        page = archive.read(posixpath.normpath(name)).decode("utf-8", "replace")
    except KeyError:
        return "(this chapter is missing)"
    return plain(visible(page)[0])
