"""Files of the workspace: what is inside can be used in every spelling, what is outside in none."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.tools.files import file_tools
from outrider.tools.tool import Observation, Tool, ToolContext, ToolError

SECRET = "the secret outside"


@pytest.fixture
def ctx(tmp_path: Path) -> ToolContext:
    """A workspace with a few files, beside a folder with a secret."""
    work = tmp_path / "work"
    (work / "src").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text(SECRET)
    (work / "sales.csv").write_text("city,amount\nOslo,1\nBergen,2\n")
    (work / "src" / "main.py").write_text("import os\n\n\ndef main():\n    return 1\n")
    return ToolContext(workspace=work)


def call(tool: Tool, ctx: ToolContext, **arguments: Any) -> Any:
    value = tool.run(tool.check(arguments), ctx)
    return value.text if isinstance(value, Observation) else value


# ---- inside and outside ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["../outside/secret.txt", "src/../../outside/secret.txt", "/etc/passwd", "..", "src/../..", "a\0b"]
)
async def test_no_tool_leaves_the_workspace_by_name(ctx: ToolContext, path: str) -> None:
    """Neither reading nor writing nor listing nor searching goes up or to an absolute path."""
    for reading in (
        call(file_tools.read_file, ctx, path=path),
        call(file_tools.search_files, ctx, pattern="s", path=path),
    ):
        with pytest.raises(ToolError, match=r"outside the workspace|NUL"):
            await reading
    for do in (
        lambda: call(file_tools.write_file, ctx, path=path, content="x"),
        lambda: call(file_tools.edit_file, ctx, path=path, old="secret", new="x"),
        lambda: call(file_tools.list_files, ctx, path=path),
    ):
        with pytest.raises(ToolError, match=r"outside the workspace|NUL"):
            do()


@pytest.mark.parametrize("target", ["../../outside", "{abs}"])
async def test_no_tool_leaves_the_workspace_by_a_link(ctx: ToolContext, target: str) -> None:
    """A link to a folder or file outside is no way out, for reading or writing. (Control: the link itself works.)"""
    outside = ctx.workspace.parent / "outside"
    (ctx.workspace / "src" / "out").symlink_to(target.format(abs=outside))
    (ctx.workspace / "secret").symlink_to(outside / "secret.txt")
    assert (ctx.workspace / "src" / "out" / "secret.txt").read_text() == SECRET
    for path in ("src/out/secret.txt", "secret"):
        with pytest.raises(ToolError, match="outside"):
            await call(file_tools.read_file, ctx, path=path)
        with pytest.raises(ToolError, match="outside"):
            call(file_tools.write_file, ctx, path=path, content="x")
    with pytest.raises(ToolError, match="outside"):
        call(file_tools.write_file, ctx, path="src/out/new.txt", content="x")
    assert (outside / "secret.txt").read_text() == SECRET
    assert sorted(p.name for p in outside.iterdir()) == ["secret.txt"]
    assert "secret.txt" not in call(file_tools.list_files, ctx, pattern="*.txt")
    assert "no line contains" in await call(file_tools.search_files, ctx, pattern=SECRET)


async def test_links_inside_the_workspace_work_and_stay_links(ctx: ToolContext) -> None:
    """Relative, absolute and chained links that lead inside are followed; writing goes to what they point at."""
    (ctx.workspace / "relative").symlink_to("src/main.py")
    (ctx.workspace / "absolute").symlink_to(ctx.workspace / "src")
    (ctx.workspace / "chain").symlink_to("absolute/main.py")
    for path in (
        "relative",
        "absolute/main.py",
        "chain",
        "/workspace/src/main.py",
        str(ctx.workspace / "sales.csv"),
        "./src//../chain",
    ):
        assert await call(file_tools.read_file, ctx, path=path)
    call(file_tools.write_file, ctx, path="relative", content="new\n")
    assert (ctx.workspace / "relative").is_symlink()
    assert (ctx.workspace / "src" / "main.py").read_text() == "new\n"


async def test_links_in_a_circle_are_an_error_not_a_hang(ctx: ToolContext) -> None:
    """a → b → a ends with a sentence."""
    (ctx.workspace / "a").symlink_to("b")
    (ctx.workspace / "b").symlink_to("a")
    with pytest.raises(ToolError, match="go round"):
        await call(file_tools.read_file, ctx, path="a")


async def test_reading_never_leaves_when_a_link_is_swapped_while_it_runs(ctx: ToolContext) -> None:
    """A folder that flips between a real one and a link outside, thousands of times, never shows the secret."""
    real, link, shown = ctx.workspace / "real", ctx.workspace / "link", ctx.workspace / "flip"
    real.mkdir()
    (real / "secret.txt").write_text("harmless")
    link.symlink_to(ctx.workspace.parent / "outside")
    ends = time.monotonic() + 1.5
    swapped = 0

    def swap() -> None:
        nonlocal swapped
        while time.monotonic() < ends:
            for one in (real, link):
                with contextlib.suppress(OSError):
                    one.rename(shown)
                    shown.rename(one)
                    swapped += 1

    swapper = threading.Thread(target=swap)
    swapper.start()
    leaked = 0
    while time.monotonic() < ends:
        with contextlib.suppress(ToolError):
            assert await call(file_tools.read_file, ctx, path="flip/secret.txt") == "harmless"
        with contextlib.suppress(OSError):
            leaked += (shown / "secret.txt").read_text() == SECRET
    swapper.join()
    assert swapped > 100
    assert leaked, "the control: an ordinary open is led outside"


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(["..", ".", "", "src", "out", "secret.txt", "new", "/", "link", "~", "\\", "é"]), max_size=7
    )
)
def test_no_path_at_all_writes_outside(parts: list[str]) -> None:
    """Whatever is put together from these parts, nothing changes outside and only ToolError is raised."""
    with tempfile.TemporaryDirectory() as top:
        work, outside = Path(top) / "work", Path(top) / "outside"
        work.mkdir()
        outside.mkdir()
        (work / "link").symlink_to(outside)
        (work / "out").symlink_to("..")
        with contextlib.suppress(ToolError):
            call(file_tools.write_file, ToolContext(workspace=work), path="/".join(parts), content="x")
        assert list(outside.iterdir()) == []
        assert sorted(p.name for p in Path(top).iterdir()) == ["outside", "work"]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_any_text_as_a_path_gives_a_result_or_a_clear_error(path: str) -> None:
    """Never an OSError, a UnicodeError or a hang, and what was written is read back."""
    with tempfile.TemporaryDirectory() as top:
        ctx = ToolContext(workspace=Path(top))
        try:
            call(file_tools.write_file, ctx, path=path, content="kept")
        except ToolError:
            return
        assert "kept" in file_tools.encoding.open_text(_opened(ctx, path)).read()  # type: ignore[union-attr]


def _opened(ctx: ToolContext, path: str) -> int:
    with file_tools.place(ctx.workspace, path) as at:
        return file_tools.open_file(at, path)


# ---- reading ---------------------------------------------------------------------------------------------------------


async def test_read_file_gives_the_whole_text_when_it_fits(ctx: ToolContext) -> None:
    """No header, no numbers: the text."""
    assert await call(file_tools.read_file, ctx, path="sales.csv") == "city,amount\nOslo,1\nBergen,2\n"


async def test_read_file_gives_the_lines_asked_for_and_says_where_to_go_on(ctx: ToolContext) -> None:
    """A part comes with a header that says which part."""
    (ctx.workspace / "long.txt").write_text("".join(f"line {n}\n" for n in range(1, 101)))
    text = await call(file_tools.read_file, ctx, path="long.txt", start_line=10, lines=2)
    assert text.splitlines()[1:] == ["line 10", "line 11"]
    assert "go on with start_line=12" in text
    assert "to its end" in await call(file_tools.read_file, ctx, path="long.txt", start_line=99)
    with pytest.raises(ToolError, match="has 100 lines"):
        await call(file_tools.read_file, ctx, path="long.txt", start_line=101)


async def test_read_file_is_bounded_when_a_file_is_huge_or_one_long_line(ctx: ToolContext) -> None:
    """10 MB of lines or of one line cost one screen, not 10 MB."""
    (ctx.workspace / "lines.txt").write_text("0123456789\n" * 1_000_000)
    (ctx.workspace / "line.txt").write_text("x" * 10_000_000)
    for name in ("lines.txt", "line.txt"):
        text = await call(file_tools.read_file, ctx, path=name)
        assert len(text) < file_tools.MAX_READ + 300
        assert "go on with start_line=" in text


async def test_read_file_names_what_is_near_when_a_file_is_missing(ctx: ToolContext) -> None:
    """The fix is a name that exists."""
    with pytest.raises(ToolError, match=r"did you mean sales\.csv\?"):
        await call(file_tools.read_file, ctx, path="sales.cvs")
    with pytest.raises(ToolError, match=r"did you mean src/main\.py\?"):
        await call(file_tools.read_file, ctx, path="src/Main.py")
    with pytest.raises(ToolError, match=r"there is: sales\.csv, src"):
        await call(file_tools.read_file, ctx, path="zzz")
    with pytest.raises(ToolError, match="is a folder"):
        await call(file_tools.read_file, ctx, path="src")
    with pytest.raises(ToolError, match=r"sales\.csv is a file, not a folder"):
        await call(file_tools.read_file, ctx, path="sales.csv/x")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"caf\xc3\xa9", "café"),
        (b"\xef\xbb\xbfcaf\xc3\xa9", "café"),
        ("café".encode("utf-16"), "café"),
        (b"caf\xe9 \x80", "[read as cp1252: it is not UTF-8]\ncafé €"),
        (b"a\r\nb\r\n", "a\nb\n"),
        (b"", "(f.txt is empty)"),
    ],
)
async def test_read_file_understands_the_encodings_files_really_have(ctx: ToolContext, data: bytes, text: str) -> None:
    """UTF-8 with and without mark, UTF-16 with mark, Windows text, Windows line ends."""
    (ctx.workspace / "f.txt").write_bytes(data)
    assert await call(file_tools.read_file, ctx, path="f.txt") == text


async def test_read_file_refuses_a_binary_file_and_what_is_no_file(ctx: ToolContext) -> None:
    """Bytes are not shown as text; a pipe does not hang the reader."""
    (ctx.workspace / "x.bin").write_bytes(os.urandom(1000) + b"\0")
    os.mkfifo(ctx.workspace / "pipe")
    with pytest.raises(ToolError, match="binary file"):
        await call(file_tools.read_file, ctx, path="x.bin")
    with pytest.raises(ToolError, match="pipe"):
        await call(file_tools.read_file, ctx, path="pipe")


async def test_read_file_gives_the_text_of_a_pdf(ctx: ToolContext) -> None:
    """A PDF is read page by page; a damaged one is an error that says so."""
    from tests.servers.documents import pdf

    (ctx.workspace / "r.pdf").write_bytes(pdf("Profit was 42 million"))
    assert "Profit was 42 million" in await call(file_tools.read_file, ctx, path="r.pdf")
    (ctx.workspace / "bad.pdf").write_bytes(b"%PDF-1.4\nnothing \0")
    with pytest.raises(ToolError, match="no text to read"):
        await call(file_tools.read_file, ctx, path="bad.pdf")


# ---- writing ---------------------------------------------------------------------------------------------------------


def test_write_file_makes_folders_replaces_whole_and_keeps_the_mode(ctx: ToolContext) -> None:
    """The new text is all there is; permissions stay; nothing temporary is left."""
    assert "new file" in call(file_tools.write_file, ctx, path="out/deep/report.md", content="# Hi ✓\n")
    target = ctx.workspace / "out/deep/report.md"
    target.chmod(0o640)
    assert "it had 9 bytes" in call(file_tools.write_file, ctx, path="out/deep/report.md", content="short")
    assert target.read_text() == "short"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert [p.name for p in target.parent.iterdir()] == ["report.md"]


def test_write_file_leaves_the_old_text_when_writing_fails(ctx: ToolContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk loses nothing and leaves nothing behind."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ToolError, match="no space left"):
        call(file_tools.write_file, ctx, path="sales.csv", content="gone")
    assert (ctx.workspace / "sales.csv").read_text().startswith("city")
    assert sorted(p.name for p in ctx.workspace.iterdir()) == ["sales.csv", "src"]


@pytest.mark.parametrize("path", ["src", ".", "new/", ""])
def test_write_file_refuses_a_folder(ctx: ToolContext, path: str) -> None:
    """A folder's name is not a place for text."""
    with pytest.raises(ToolError, match="folder"):
        call(file_tools.write_file, ctx, path=path, content="x")


def test_edit_file_changes_the_one_place_and_keeps_everything_else(ctx: ToolContext) -> None:
    """Exactly once, to the byte; Windows line ends stay what they are."""
    assert (
        call(file_tools.edit_file, ctx, path="src/main.py", old="return 1", new="return 2")
        == "edited src/main.py at line 5"
    )
    assert (ctx.workspace / "src/main.py").read_text() == "import os\n\n\ndef main():\n    return 2\n"
    (ctx.workspace / "dos.txt").write_bytes(b"a\r\nb\r\nc\r\n")
    call(file_tools.edit_file, ctx, path="dos.txt", old="a\nb", new="x\ny")
    assert (ctx.workspace / "dos.txt").read_bytes() == b"x\r\ny\r\nc\r\n"


def test_edit_file_says_how_often_and_where_when_it_is_not_once(ctx: ToolContext) -> None:
    """Twice, never, or nothing asked for: the file stays and the message helps."""
    (ctx.workspace / "t.txt").write_text("one\ntwo\none\n")
    with pytest.raises(ToolError, match=r"occurs 2 times in t\.txt.*lines 1, 3"):
        call(file_tools.edit_file, ctx, path="t.txt", old="one", new="x")
    with pytest.raises(ToolError, match=r"does not occur.*line 5 is near: 'return 1'"):
        call(file_tools.edit_file, ctx, path="src/main.py", old="return 11", new="x")
    with pytest.raises(ToolError, match="old is empty"):
        call(file_tools.edit_file, ctx, path="t.txt", old="", new="x")
    assert (ctx.workspace / "t.txt").read_text() == "one\ntwo\none\n"


GUARDED = [
    ".git/hooks/pre-commit",
    "src/.git/config",
    ".envrc",
    ".vscode/tasks.json",
    ".ssh/authorized_keys",
    ".ENV",
    "outrider.toml",
]


@pytest.mark.parametrize("path", GUARDED)
def test_nothing_is_written_where_other_programs_run_or_trust_what_they_find(ctx: ToolContext, path: str) -> None:
    """A hook or an editor's task would run outside the sandbox. Not by name, not through a link, not by an edit."""
    before = sorted(ctx.workspace.rglob("*"))
    with pytest.raises(ToolError, match="is not written"):
        call(file_tools.write_file, ctx, path=path, content="#!/bin/sh\n")
    assert sorted(ctx.workspace.rglob("*")) == before, "not even a folder was made"
    target = ctx.workspace / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("old")
    (ctx.workspace / "link").symlink_to(path)
    with pytest.raises(ToolError, match="is not written"):
        call(file_tools.write_file, ctx, path="link", content="new")
    with pytest.raises(ToolError, match=r"is not (written|read)"):
        call(file_tools.edit_file, ctx, path="link", old="old", new="new")
    assert target.read_text() == "old"


def test_a_database_in_the_workspace_is_not_written_over(ctx: ToolContext) -> None:
    """Runs may be kept beside the files: the record of a run is not the run's to change. (Control: other files are.)"""
    with contextlib.closing(sqlite3.connect(ctx.workspace / "runs.db")) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE t (x)")
        db.commit()
        for name in ("runs.db", "runs.db-wal", "runs.db-shm"):
            with pytest.raises(ToolError, match="database"):
                call(file_tools.write_file, ctx, path=name, content="x")
    (ctx.workspace / "other-wal").write_text("a")
    assert "wrote" in call(file_tools.write_file, ctx, path="other-wal", content="x")


def test_what_the_sandbox_never_carries_is_guarded_too() -> None:
    """One rule for both ways to write a file."""
    from outrider.tools.files.guarded import NEVER, SECRET, is_guarded

    assert all(is_guarded(name) for name in NEVER)
    assert SECRET <= NEVER


@pytest.mark.parametrize("path", [".env", ".env.local", "src/.aws/credentials", ".ssh/id_ed25519", ".netrc"])
async def test_files_that_hold_keys_are_not_read_and_not_searched(ctx: ToolContext, path: str) -> None:
    """A key in the workspace does not reach a model because a page said to look. (Control: an example file is read.)"""
    target = ctx.workspace / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("KEY=topsecret\n")
    (ctx.workspace / "link.txt").symlink_to(path)
    (ctx.workspace / ".env.example").write_text("KEY=yours\n")
    for name in (path, "link.txt"):
        with pytest.raises(ToolError, match="hold keys"):
            await call(file_tools.read_file, ctx, path=name)
        with pytest.raises(ToolError, match="hold keys"):
            await call(file_tools.search_files, ctx, pattern="KEY", path=name)
    found = await call(file_tools.search_files, ctx, pattern="KEY")
    assert found.splitlines()[1:] == [".env.example:1: KEY=yours"]


# ---- listing and searching -------------------------------------------------------------------------------------------


def test_list_files_shows_names_sizes_and_folders(ctx: ToolContext) -> None:
    """One line an entry, the same every time."""
    assert call(file_tools.list_files, ctx) == "2 entries in the workspace:\nsales.csv  28 bytes\nsrc/"
    assert (
        call(file_tools.list_files, ctx, pattern="*.py")
        == "1 file in the workspace that fits *.py:\nsrc/main.py  37 bytes"
    )
    assert call(file_tools.list_files, ctx, pattern="*.rs") == "no file fits *.rs in the workspace"


def test_list_files_says_when_time_was_up(ctx: ToolContext) -> None:
    """A list that is not whole never looks whole, an empty one least of all."""
    ctx.seconds_left = lambda: 0.1
    assert "not everything was looked at" in call(file_tools.list_files, ctx, pattern="*.rs")


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("*.py", "a/b/c.py", True), ("a/*.py", "a/c.py", True), ("a/*.py", "a/b/c.py", False),
        ("a/**/*.py", "a/b/d/c.py", True), ("a/**/*.py", "a/c.py", True), ("**/c.py", "c.py", True),
        ("?.py", "ab.py", False), ("a*b*c", "axxbyyc", True), ("a*b*c", "axxbyy", False), ("*", "x", True),
        ("*a*a*a*a*a*a*a*a*b", "a" * 200, False), ("c.py", "x/c.py", True),
        ("*.{csv,tsv}", "a/b.tsv", True), ("*.{csv,tsv}", "b.txt", False), ("{src,tests}/**/*.{py,pyi}", "tests/a/b.pyi", True),
        ("{src,tests}/*.py", "docs/a.py", False), ("{a,{b,c}}.txt", "c.txt", True), ("*.[ch]", "x/y.h", True),
        ("*.[ch]", "y.cc", False), ("[!a]*.txt", "abc.txt", False), ("[ab].txt", "b.txt", True), ("data[1].csv", "data[1].csv", True),
        ("{}.txt", "{}.txt", True), ("{x}.txt", "{x}.txt", True), ("a{b,c.txt", "a{b,c.txt", True), ("[", "[", True),
        ("{a,b}" * 40, "ab" * 20, False), ("*.CSV", "a.csv", False), ("./src/*.py", "src/a.py", True), ("**", "a/b", True),
        ("**/*.{js,ts}", "deep/er/x.ts", True), ("src/**", "src/a/b.c", True), ("*/*.py", "a/b.py", True), ("*/*.py", "b.py", False),
        ("src/{a,b}/*.py", "src/b/x.py", True),
        ("{a,b}{1,2}.txt", "b2.txt", True),
        ("*.[ch]", "main.h", True),
        ("*.[ch]", "main.cc", False),
        ("log[0-9]*.txt", "log7-old.txt", True),
        ("[!a]*.txt", "a.txt", False),
        ("[!a]*.txt", "b.txt", True),
        ("a[.txt", "a[.txt", True),
        ("{only}.txt", "{only}.txt", True), ("[^a].txt", "b.txt", True), ("[^a].txt", "a.txt", False),
    ],
)  # fmt: skip
def test_list_files_understands_patterns(pattern: str, path: str, fits: bool) -> None:
    """Stars stop at slashes, ** does not, braces and brackets choose, a name fits itself, and no pattern takes for ever."""
    assert file_tools.walk.glob(pattern)(path) is fits


async def test_names_with_control_characters_are_shown_escaped_and_can_be_asked_for(ctx: ToolContext) -> None:
    """A name cannot paint the terminal, nor hide; what is shown can be given back."""
    (ctx.workspace / "evil\x1b[31m\u202e.txt").write_text("content")
    listed = call(file_tools.list_files, ctx, pattern="*.txt")
    assert "\x1b" not in listed
    assert "\u202e" not in listed
    assert "evil\\x1b[31m\\u202e.txt" in listed
    assert await call(file_tools.read_file, ctx, path="evil\\x1b[31m\\u202e.txt") == "content"


async def test_search_files_finds_plain_text_with_path_and_line(ctx: ToolContext) -> None:
    """Plain text by default: a dot is a dot."""
    (ctx.workspace / "note.txt").write_text("a.b\naxb\nA.B\n")
    found = await call(file_tools.search_files, ctx, pattern="a.b")
    assert found == "1 line found (3 files searched):\nnote.txt:1: a.b"
    both = await call(file_tools.search_files, ctx, pattern="a.b", ignore_case=True, path="note.txt")
    assert both.splitlines()[1:] == ["note.txt:1: a.b", "note.txt:3: A.B"]
    assert "3 lines found" in await call(file_tools.search_files, ctx, pattern="[aA].[bB]", regex=True)
    assert "no line contains 'zzz'" in await call(file_tools.search_files, ctx, pattern="zzz")


async def test_search_files_is_stopped_when_a_pattern_backtracks_for_ever(ctx: ToolContext) -> None:
    """The catastrophic pattern is a slow second, not the end of the run; the lines found before it are kept."""
    (ctx.workspace / "a.txt").write_text("ab\n")
    (ctx.workspace / "b.txt").write_text("a" * 40 + "c\n")
    short = ToolContext(workspace=ctx.workspace, seconds_left=lambda: 2.0)
    began = time.monotonic()
    found = await call(file_tools.search_files, short, pattern="^(a+)+b?$|ab", regex=True)
    assert "a.txt:1: ab" in found
    assert "before time was up" in found
    assert time.monotonic() - began < 4


async def test_search_files_stops_in_time_and_leaves_nothing_running(ctx: ToolContext) -> None:
    """Plain text in files too large for the time: an error in good time, and the thread ends too."""
    (ctx.workspace / "huge.txt").write_text("nothing here\n" * 3_000_000)
    short = ToolContext(workspace=ctx.workspace, seconds_left=lambda: 0.4)
    before = threading.active_count()
    with pytest.raises(ToolError, match="was stopped"):
        await call(file_tools.search_files, short, pattern="needle", path="huge.txt")
    time.sleep(0.3)
    assert threading.active_count() <= before


async def test_search_files_says_what_is_wrong_with_a_pattern_or_path(ctx: ToolContext) -> None:
    """A bad expression, a missing folder."""
    with pytest.raises(ToolError, match="not a regular expression"):
        await call(file_tools.search_files, ctx, pattern="(", regex=True)
    with pytest.raises(ToolError, match=r"did you mean src\?"):
        await call(file_tools.search_files, ctx, pattern="x", path="scr")


async def test_search_files_bounds_what_it_shows(ctx: ToolContext) -> None:
    """Many matches and very long lines stay small; binary files are passed over."""
    (ctx.workspace / "many.txt").write_text("hit\n" * 5000)
    (ctx.workspace / "wide.txt").write_text("x" * 9000 + "needle" + "y" * 9000)
    (ctx.workspace / "b.bin").write_bytes(b"hit\0")
    many = await call(file_tools.search_files, ctx, pattern="hit")
    assert many.startswith(f"first {file_tools.MAX_FOUND} lines found")
    wide = await call(file_tools.search_files, ctx, pattern="needle")
    assert "needle" in wide
    assert len(wide) < 600
    assert "1 not text or too large" in wide
