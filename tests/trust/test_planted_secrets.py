"""Secrets planted wherever a run can come by one, in every form: no byte of them is stored, logged, exported or shown.

Each secret goes through a whole run: goal, headers, pages, errors, tool outputs, tracebacks, replies, file names, addresses;
the search is over the database, its log and its blobs, every export, the terminal, progress, streamed text and the viewer.
`PLANTED=10000 pytest -m slow tests/trust/test_planted_secrets.py` plants ten thousand; the slow test a thousand.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import random
import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from outrider.agent.assemble import Listeners
from outrider.agent.cli.app import run_command_line
from outrider.agent.cli.output import hide_values
from outrider.agent.history.run_view import list_runs
from outrider.agent.models.model import Request
from outrider.agent.review.export import FORMATS
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from outrider.tools.tool import File, Observation, ToolContext, tool
from tests.agent.helpers import Actor, call, calls, run, says
from tests.agent.review.test_export import written
from tests.agent.review.web.viewer import viewing
from tests.servers.web import Asked, WebServer, answer

QUICK, BATCH = 50, 500  # secrets of one run
ALPHABETS = (
    string.ascii_letters + string.digits, string.ascii_letters + string.digits + "-_", string.ascii_letters + string.digits + "+/=",
    string.hexdigits.lower(), string.ascii_letters + string.digits + "!#$%&'()*,.:;<>?@[]^`{|}~\"\\",
)  # fmt: skip
ENCODED: dict[str, Callable[[str], str]] = {
    "raw": str, "URL": lambda v: quote(v, safe=""), "base64": lambda v: base64.b64encode(v.encode()).decode(),
    "JSON": lambda v: json.dumps(v)[1:-1], "basic": lambda v: base64.b64encode(f"me:{v}".encode()).decode(),
}  # fmt: skip


def secret(chance: random.Random) -> str:
    """A random one, 16 to 64 characters, not to be taken for a path or an address."""
    return "k" + "".join(chance.choices(chance.choice(ALPHABETS), k=chance.randint(16, 63)))


@dataclass
class Planted:
    """The secrets of one run, and what was seen of it."""

    values: list[str]
    shown: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._at = 0

    def some(self, *forms: str) -> str:
        """The next few secrets, each in one of these forms, in a sentence."""
        forms = forms or tuple(ENCODED)
        said = []
        for form in forms:
            value = self.values[self._at % len(self.values)]
            self._at += 1
            said.append(f"{form}: {ENCODED[form](value)} .")
        return " ".join(said)

    def next(self) -> str:
        """The next secret as it is."""
        self._at += 1
        return self.values[(self._at - 1) % len(self.values)]


def tools(planted: Planted) -> list[Any]:
    @tool(effect="read", fresh_s=0)
    def output(number: int, ctx: ToolContext) -> Observation:
        """Tell some.

        number: which
        """
        ctx.progress(planted.some())
        text = "\n".join(planted.some() for _ in range(3 + len(planted.values) // 10))
        return Observation(text, files=(File(f"log-{number}.txt", "text/plain", planted.some().encode()),))

    @tool(effect="read", fresh_s=0)
    def fails(number: int) -> str:
        """Fail.

        number: which
        """
        password = planted.next()
        raise ValueError(f"login failed: {planted.some()} {password!r}")

    return [
        output,
        fails,
        "http_request",
        "read_page",
        "write_file",
        "list_files",
        "read_file",
        "note",
        "recall",
        "python",
    ]


def script(planted: Planted, server: WebServer) -> list[Any]:
    """What the model does: each call holds secrets, or meets some."""

    def streamed(request: Request) -> Any:
        words = planted.some()
        for at in range(0, len(words), 7):
            request.on_text(words[at : at + 7]) if request.on_text else None
        return says(f"the answer: {planted.some()}")

    def asks(name: str, **arguments: Any) -> Any:
        return calls(call(name, json.dumps(arguments)), text=planted.some("raw", "base64"))

    file = re.sub(r"[^\w.-]", "_", planted.next())
    return [
        asks("output", number=1),
        asks("output", number=2),
        asks("fails", number=1),
        asks("http_request", url=server.url("/echo?q=" + quote(planted.next(), safe="")), headers={"X-Key": planted.next()}),
        asks("http_request", url=server.url("/echo"), method="POST", body=planted.some()),
        asks("read_page", url=server.url("/page")),
        asks("read_page", url=server.url("/missing/" + quote(planted.next(), safe=""))),
        asks("write_file", path=f"made-{file}.txt", content=planted.some()),
        asks("write_file", path=f"made-{file}.txt", content=planted.some()),
        asks("list_files"),
        asks("read_file", path=f"no/{planted.next()}"),
        asks("note", text=planted.some()),
        asks("recall", query=planted.next()),
        asks("python", code=f"# {planted.some('JSON')}\nprint({planted.some('raw')!r})\nraise ValueError({planted.next()!r})"),
        calls(call(f"no_{planted.next()}"), call("output", '{"number": "' + planted.next())),
        streamed,
    ]  # fmt: skip


def echo(connection: Any, asked: Asked) -> None:
    body = f"{asked.path}?{asked.query}\n{dict(asked.headers)}\n".encode() + asked.body
    answer(
        body, headers={"Set-Cookie": f"a={asked.headers.get('x-key', 'none')[:80].encode('ascii', 'ignore').decode()}"}
    )(connection, asked)


def go(folder: Path, planted: Planted, monkeypatch: pytest.MonkeyPatch) -> Store:
    """One run with all of them; what a person saw meanwhile is in `planted.shown`."""
    for number, value in enumerate(planted.values):
        monkeypatch.setenv(f"S{number}_TOKEN", value)
    monkeypatch.setenv("OUTRIDER_HOME", str(folder / "home"))
    hide_values({f"S{number}_TOKEN": value for number, value in enumerate(planted.values)})
    (folder / "work").mkdir(parents=True)
    (folder / "work" / "log.txt").write_text("\n".join(planted.some() for _ in range(5)))
    store = Store(f"sqlite:///{folder / 'runs.db'}")
    seen = Listeners(progress=planted.shown.append, on_text=planted.shown.append)
    with WebServer(
        {"/echo": echo, "/page": answer(f"<p>{planted.some()}</p>".encode(), headers={"Content-Type": "text/html"})}
    ) as server:
        run(
            store, Actor(*script(planted, server)), tools(planted), goal=f"log in with {planted.some()} and look", workspace=folder / "work",
            allowed_hosts=(server.host,), policy={"network": "allow"}, listeners=seen, label=planted.next()[:40],
        )  # fmt: skip
    return store


def told(store: Store, folder: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[tuple[str, bytes]]:
    """Everything somebody could read of it afterwards, by where it stands."""
    run_id = next(iter(list_runs(store))).id
    journal = Journal.open_for_reading(store, run_id)
    for name in FORMATS:
        yield f"export {name}", written(journal, name).encode("utf-8", "surrogatepass")
    with viewing(store) as viewer, viewer.client() as client:
        todo, done = ["/", f"/runs/{run_id}", "/search?q=login"], set()
        while todo and len(done) < 40:
            path = todo.pop(0)
            if path in done:
                continue
            done.add(path)
            page = client.get(path)
            yield f"page {path}", page.content + str(dict(page.headers)).encode()
            todo += [found for found in re.findall(r'(?:href|src)="(/[^"#]*)', page.text) if "/live" not in found]
    url = f"sqlite:///{folder / 'runs.db'}"
    for words in (
        ("show", run_id),
        ("show", run_id, "--json"),
        ("runs",),
        ("verify", run_id),
        ("find", "login"),
        ("scan", run_id),
    ):
        capfd.readouterr()
        with contextlib.redirect_stdout(io.StringIO()) as out:
            run_command_line([*words, "--memory", url])
        yield " ".join(words), ("".join(capfd.readouterr()) + out.getvalue()).encode("utf-8", "surrogatepass")
    store.close()
    for file in sorted(folder.glob("runs.db*")):
        yield file.name, file.read_bytes()
    for file in sorted((folder / "home").rglob("*")) if (folder / "home").exists() else ():
        if file.is_file() and file.suffix not in (".pyc",):
            yield file.name, file.read_bytes()


def found_in(data: bytes, values: list[str]) -> list[str]:
    """The secrets that stand in it, in any form."""
    return [
        f"{form} of {value}" for value in values for form, encode in ENCODED.items() if encode(value).encode() in data
    ]


def leaks(
    folder: Path, count: int, seed: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> list[str]:
    chance = random.Random(seed)
    planted = Planted([secret(chance) for _ in range(count)])
    capfd.readouterr()
    store = go(folder, planted, monkeypatch)
    printed = "".join(capfd.readouterr())
    assert planted._at >= count, "not every secret was planted"
    places = [
        ("progress and streamed text", "".join(planted.shown).encode()),
        ("printed while it ran", printed.encode()),
    ]
    places += told(store, folder, capfd)
    if count >= 10:
        assert sum(b"{{secret:S" in data for _, data in places) > 8, "nothing was masked: the plants did not arrive"
    return [f"{where}: {what}" for where, data in places for what in found_in(data, planted.values)]


def test_no_planted_secret_is_found_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Fifty of them, in every place and form."""
    assert leaks(tmp_path, QUICK, 1, monkeypatch, capfd) == []


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_no_secret_of_a_thousand_is_found_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The same over PLANTED secrets (1,000 if not said), five hundred a run."""
    for number in range(int(os.environ.get("PLANTED", "1000")) // BATCH):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert leaks(folder, BATCH, 1000 + number, monkeypatch, capfd) == [], number
