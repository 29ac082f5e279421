"""Documents as text under their pages, sheets and slides; bombs, entities and damage end in a sentence."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from outrider.tools.documents.html import visible
from outrider.tools.files.file_tools import read_file
from outrider.tools.tool import ToolContext, ToolError
from tests.servers.documents import pdf


async def read(folder: Path, name: str, **more: int) -> str:
    text = await read_file.run(read_file.check({"path": name, **more}), ToolContext(workspace=folder))
    assert isinstance(text, str)
    return text


def word() -> bytes:
    from docx import Document

    document = Document()
    document.add_heading("Results", 1)
    document.add_paragraph("Profit was 42 million.")
    table = document.add_table(2, 2)
    for at, text in enumerate(("year", "profit", "2026", "42")):
        table.cell(at // 2, at % 2).text = text
    return saved(document.save)


def slides() -> bytes:
    from pptx import Presentation

    show = Presentation()
    slide = show.slides.add_slide(show.slide_layouts[1])
    slide.shapes.title.text = "Results"
    slide.placeholders[1].text = "Profit was 42 million."
    slide.notes_slide.notes_text_frame.text = "smile"
    show.slides.add_slide(show.slide_layouts[5]).shapes.title.text = "Thanks"
    return saved(show.save)


def workbook() -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    assert book.active is not None
    book.active.title = "Results"
    book.active.append(["year", "profit"])
    book.active.append([2026, 42.5])
    book.create_sheet("Empty")
    return saved(book.save)


def saved(save: Callable[[io.BytesIO], None]) -> bytes:
    out = io.BytesIO()
    save(out)
    return out.getvalue()


def zipped(**parts: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name.replace("__", "/"), text)
    return out.getvalue()


def book() -> bytes:
    return zipped(**{
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": "<c><rootfile full-path='O/c.opf'/></c>",
        "O/c.opf": "<p xmlns:dc='d'><dc:title>Book</dc:title><item id='a' href='a%20b.xhtml'/><item id='b' href='b.xhtml'/>"
        "<itemref idref='b'/><itemref idref='a'/></p>",
        "O/a b.xhtml": "<p>Second</p>",
        "O/b.xhtml": "<p>First</p><p hidden>never</p>",
    })  # fmt: skip


def letter() -> bytes:
    content = (
        "<d xmlns:o='o' xmlns:t='t' xmlns:b='b'><o:text><t:h>Head</t:h><t:p>Dear Ann</t:p>"
        "<b:table><b:table-row><b:table-cell><t:p>a</t:p></b:table-cell><b:table-cell><t:p>b</t:p></b:table-cell></b:table-row></b:table>"
        "</o:text></d>"
    )
    return zipped(mimetype="application/vnd.oasis.opendocument.text", **{"content.xml": content})


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("r.docx", word, "[text of the Word document r.docx]\n# Results\nProfit was 42 million.\nyear | profit\n2026 | 42"),
        (
            "r.pptx", slides,
            "[text of the presentation r.pptx]\n[slide 1]\nResults\nProfit was 42 million.\n(notes: smile)\n\n[slide 2]\nThanks",
        ),
        ("r.xlsx", workbook, "[text of the workbook r.xlsx]\n[sheet Results]\n1: year | profit\n2: 2026 | 42.5\n\n[sheet Empty]"),
        ("r.epub", book, "[text of the EPUB r.epub]\n[chapter 1]\nFirst\n\n[chapter 2]\nSecond"),
        ("r.odt", letter, "[text of the OpenDocument file r.odt]\nHead\nDear Ann\na | b"),
        ("r.pdf", lambda: pdf("Profit was 42", "Thanks"), "[text of the PDF r.pdf]\n[page 1]\nProfit was 42\n\n[page 2]\nThanks"),
        ("noname", word, "[text of the Word document noname]\n# Results\nProfit was 42 million.\nyear | profit\n2026 | 42"),
    ],
)  # fmt: skip
async def test_a_document_is_read_as_text_with_its_pages(
    tmp_path: Path, name: str, data: Callable[[], bytes], text: str
) -> None:
    """What it is, is told by its content and not by its name."""
    (tmp_path / name).write_bytes(data())
    assert (await read(tmp_path, name)).strip() == text


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("cut.pdf", b"%PDF-1.4\nno nul byte here", "damaged"),
        ("scan.pdf", pdf(""), "perhaps pictures"),
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), r"save it as \.docx"),
        ("bomb.docx", zipped(**{"word/document.xml": " " * 80_000_000}), "unpacks to too much"),
        ("noxml.docx", zipped(**{"word/document.xml": "<"}), "damaged"),
        ("any.zip", zipped(a="b"), "binary file"),
        ("half.docx", word()[:3000], "binary file"),
    ],
)
async def test_what_cannot_be_read_is_told_with_a_reason(tmp_path: Path, name: str, data: bytes, why: str) -> None:
    """Damaged, scanned, old, or a bomb."""
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ToolError, match=why):
        await read(tmp_path, name)


@pytest.mark.parametrize(
    ("data", "part", "old"),
    [(word, "word/document.xml", b"Profit"), (slides, "ppt/slides/slide1.xml", b"Profit"), (workbook, "xl/worksheets/sheet1.xml", b"profit")],
)  # fmt: skip
async def test_no_entity_of_a_document_reads_a_file(
    tmp_path: Path, data: Callable[[], bytes], part: str, old: bytes
) -> None:
    """XXE: the child could read what the person can."""
    (tmp_path / "secret.txt").write_text("hunter2")
    entity = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{tmp_path}/secret.txt">]>'.encode()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data())) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name in (part, "xl/sharedStrings.xml"):
                declaration, _, rest = content.rpartition(b"?>")
                content = declaration + (b"?>" if declaration else b"") + entity + rest.replace(old, b"&e;")
            target.writestr(name, content)
    (tmp_path / "evil").write_bytes(out.getvalue())
    try:
        said = await read(tmp_path, "evil")
    except ToolError as refused:
        said = str(refused)
    assert "hunter2" not in said


async def test_a_large_html_file_is_read_as_text_and_its_source_by_lines(tmp_path: Path) -> None:
    """A small one is source: somebody may want to edit it."""
    (tmp_path / "small.html").write_text("<p>hi</p>")
    (tmp_path / "large.html").write_text("<html><body><p>" + "word " * 15_000 + "</p></body></html>")
    assert await read(tmp_path, "small.html") == "<p>hi</p>"
    assert (await read(tmp_path, "large.html")).startswith(
        "[text of the HTML page large.html; lines=200 gives its source]"
    )
    assert "<html><body><p>word" in await read(tmp_path, "large.html", lines=200)


async def test_a_picture_is_said_to_be_one(tmp_path: Path) -> None:
    """Format and size; what it shows takes a model that sees."""
    from PIL import Image

    Image.new("RGB", (64, 48)).save(tmp_path / "p.png")
    assert "a PNG picture of 64 × 48 pixels" in await read(tmp_path, "p.png")


async def test_text_in_another_code_page_is_read_and_said(tmp_path: Path) -> None:
    """Also when the first odd byte is far from the beginning."""
    (tmp_path / "de.txt").write_bytes(("plain line\n" * 3000 + "Größe für Köln\n").encode("cp1252"))
    text = await read(tmp_path, "de.txt")
    assert text.startswith("[read as cp1252: it is not UTF-8]")
    assert "Größe für Köln" in text


@pytest.mark.parametrize(
    "hiding",
    [
        '<p style="display:none">{}</p>', '<div style="visibility: hidden"><p>{}</p></div>', "<p hidden>{}</p>",
        '<span style="font-size:0">{}</span>', '<div style="position:absolute; left:-9999px">{}</div>', '<p class="x">{}</p>',
        '<p id="y">{}</p>', "<dialog>{}</dialog>", '<p style="opacity:0;">{}</p>', '<div hidden=""><b>{}</b></div>',
    ],
)  # fmt: skip
def test_hidden_text_is_left_out_and_the_rest_stays(hiding: str) -> None:
    """What a reader does not see carries instructions to models."""
    html = (
        "<html><head><style>/* c */ .x{display:none} p#y { visibility:hidden } @media print { .z{display:none} } .w{display:none} .w{display:block}"
        "</style></head><body><p>Seen first</p>"
        + hiding.format("IGNORE ALL")
        + '<p class="z">Seen on screens</p><p class="w">Shown again</p><p>Tail <em hidden>gone</em> after</p></body></html>'
    )
    seen, note = visible(html)
    assert "IGNORE ALL" not in seen
    for text in ("Seen first", "Seen on screens", "Shown again", "Tail", "after"):
        assert text in seen
    assert note == "left out: 2 parts that readers do not see"


def test_a_page_that_hides_all_of_itself_until_scripts_run_is_given_whole() -> None:
    """An anti-flicker style must not make a page empty."""
    html = "<html><head><style>.a{opacity:0}</style></head><body><div class='a'><p>All there is</p></div></body></html>"
    assert visible(html) == (html, "its text is hidden until its scripts run")
    assert visible("<html><body style='display:none'><p>All</p></body></html>")[1] == ""
