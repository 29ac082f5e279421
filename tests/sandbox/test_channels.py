"""What passes between the agent and the sandbox: tool calls from code, granted hosts, and what must not pass."""

from __future__ import annotations

import http.server
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from outrider.memory.errors import UsageError
from outrider.tools.sandbox import Limits, Sandbox, open_sandbox
from outrider.tools.sandbox.inside import wire as wire
from outrider.tools.sandbox.workspace import stays_inside

LIMITS = Limits(seconds=10, memory_mb=512, disk_mb=64)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def test_code_calls_a_tool_by_name(workspace: Path) -> None:
    """`tools.<name>(…)` reaches the agent with its arguments, and its answer is the call's value."""
    asked = []

    def call_tool(name: str, arguments: bytes) -> bytes:
        asked.append((name, json.loads(arguments)))
        return json.dumps({"value": {"n": len(asked)}}).encode()

    with open_sandbox(workspace, LIMITS, call_tool=call_tool) as box:
        done = box.python("[tools.count(path=p)['n'] for p in ('a', 'b', 'c')]")
        assert done.value == "[1, 2, 3]", done
        with box.session() as session:
            assert session.run("tools.count(path='é')").value == "{'n': 4}"
    assert asked[0] == ("count", {"path": "a"})
    assert asked[3] == ("count", {"path": "é"})


def test_a_refused_tool_call_is_an_exception_in_the_code(workspace: Path) -> None:
    """The code can catch it; it ends nothing."""
    with open_sandbox(workspace, LIMITS, call_tool=lambda name, arguments: b'{"error": "denied"}') as box:
        done = box.python("try: tools.send(to='x')\nexcept RuntimeError as e: print('caught', e)")
        assert (done.stdout, done.exit_code) == ("caught denied\n", 0)
    with open_sandbox(workspace, LIMITS) as box:
        assert "no tools can be called" in box.python("tools.send()").stderr


def test_a_slow_tool_counts_against_the_time_of_the_call(workspace: Path) -> None:
    """The deadline holds while the agent answers; the next call works."""

    def slow(name: str, arguments: bytes) -> bytes:
        time.sleep(1.2)
        return b'{"value": 1}'

    with open_sandbox(workspace, LIMITS, call_tool=slow) as box:
        assert box.python("tools.a()", timeout_s=0.4).stopped_by == "time"
        assert box.python("print(1)").stdout == "1\n"


def test_calls_of_many_threads_get_their_own_answers(workspace: Path) -> None:
    """One sandbox may be used from several threads at once."""
    with open_sandbox(workspace, LIMITS) as box:
        answers: dict[int, str] = {}
        threads = [
            threading.Thread(
                target=lambda n=n: answers.update({n: box.python(f"import time; time.sleep(.05); print({n})").stdout})
            )
            for n in range(12)
        ]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert answers == {n: f"{n}\n" for n in range(12)}


def test_cancel_ends_the_call_under_way(workspace: Path) -> None:
    """From another thread, at once; the sandbox stays usable."""
    with open_sandbox(workspace, LIMITS) as box:
        box.python("pass")
        threading.Timer(0.3, box.cancel).start()
        began = time.monotonic()
        done = box.python("import time; time.sleep(30)")
        assert done.stopped_by == "killed"
        assert time.monotonic() - began < 2
        assert box.python("print(1)").stdout == "1\n"


def test_a_session_that_ended_says_so_and_starts_anew(workspace: Path) -> None:
    """State is never silently gone: the call that lost it has an ending, and `alive` is false."""
    with open_sandbox(workspace, LIMITS) as box, box.session() as session:
        session.run("x = 1")
        assert session.alive
        assert session.run("import time; time.sleep(9)", timeout_s=0.3).stopped_by == "time"
        assert not session.alive
        assert "NameError" in session.run("x").stderr


def test_a_worker_that_dies_is_replaced(workspace: Path) -> None:
    """The sandbox's own death is an ending of the call, not an exception, and the next call gets a new one."""
    with open_sandbox(workspace, LIMITS) as box:
        running = box.start()
        threading.Timer(0.3, running.close).start()
        assert box.python("import time; time.sleep(30)").stopped_by == "killed"
        assert box.python("print(1)").stdout == "1\n"


class Hosts:
    """A door that opens one host."""

    def __init__(self, allowed: tuple[str, int]) -> None:
        self.allowed, self.asked = allowed, list[tuple[str, int]]()

    def connect(self, host: str, port: int) -> socket.socket:
        self.asked.append((host, port))
        if (host, port) != self.allowed:
            raise PermissionError(f"{host}:{port} is not granted")
        return socket.create_connection((host, port), 5)


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def page() -> Iterator[tuple[str, int]]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield "127.0.0.1", server.server_address[1]
        server.shutdown()


def test_a_granted_host_is_reached_through_the_door_and_no_other(workspace: Path, page: tuple[str, int]) -> None:
    """Plain HTTP and tunnels go to the door, which decides; a route of its own the sandbox does not have."""
    door = Hosts(page)
    code = f"""
import urllib.request, socket, http.client
print(urllib.request.urlopen('http://127.0.0.1:{page[1]}/x').read())
try: urllib.request.urlopen('http://127.0.0.1:1/')
except Exception as e: print(e)
c = http.client.HTTPConnection('127.0.0.1', 3128); c.set_tunnel('127.0.0.1', {page[1]}); c.request('GET', '/'); print(c.getresponse().read())
try: socket.create_connection(('127.0.0.1', {page[1]}), 1); print('PLAIN ROUTE')
except OSError as e: print('none')
"""
    with open_sandbox(workspace, LIMITS, network=door) as box:
        done = box.python(code)
    assert done.stdout.splitlines() == ["b'hello'", "HTTP Error 403: Forbidden", "b'hello'", "none"], done
    assert door.asked == [page, ("127.0.0.1", 1), page]


@pytest.mark.parametrize(
    "sent",
    [b"", b"\r\n\r\n", b"GET\r\n\r\n", b"CONNECT x\r\n\r\n", b"GET ftp://x/ HTTP/1.1\r\n\r\n", b"\xff" * 100_000, b"CONNECT a:99999999999 HTTP/1.1\r\n\r\n"],
)  # fmt: skip
def test_nonsense_to_the_proxy_reaches_nobody(workspace: Path, sent: bytes) -> None:
    """The door is not even asked, and the proxy lives."""
    door = Hosts(("x", 1))
    with open_sandbox(workspace, LIMITS, network=door) as box:
        code = f"import socket\ns = socket.create_connection(('127.0.0.1', 3128)); s.settimeout(2)\ntry: s.sendall({sent!r}); s.shutdown(1); s.recv(9)\nexcept OSError: pass"
        assert box.python(code).exit_code == 0
        assert box.python("print(1)").stdout == "1\n"
    assert [asked for asked in door.asked if asked[0] != "a"] == []


def test_a_granted_folder_is_read_only(workspace: Path, tmp_path: Path) -> None:
    """`read=` shows a folder at its own path; it cannot be changed."""
    shown = tmp_path / "shown"
    shown.mkdir()
    (shown / "a").write_text("granted")
    for folder in (tmp_path, shown):
        folder.chmod(0o755)
    with open_sandbox(workspace, LIMITS, read=(shown,)) as box:
        assert box.python(f"print(open('{shown}/a').read())").stdout == "granted\n"
        assert "Read-only" in box.python(f"open('{shown}/a', 'w')").stderr
        assert "Error" in box.python(f"import os; print(os.listdir('{tmp_path}'))\nopen('{tmp_path}/new', 'w')").stderr


@pytest.mark.parametrize("name", [".env", ".git/config", ".ssh/id_rsa", "outrider.toml", ".netrc"])
def test_secrets_of_the_workspace_do_not_go_in(workspace: Path, name: str) -> None:
    """Names that hold secrets or settings are not there for the code."""
    secret = workspace / name
    secret.parent.mkdir(exist_ok=True)
    secret.write_text("secret")
    (workspace / "plain.txt").write_text("plain")
    with open_sandbox(workspace, LIMITS, hide=[workspace / "hidden.db"]) as box:
        (workspace / "hidden.db").write_text("secret")
        done = box.shell("cat plain.txt; find . -type f; grep -r secret .")
    assert done.stdout == "plain./plain.txt\n", done
    assert secret.read_text() == "secret"


def test_a_hidden_folder_is_neither_seen_nor_written(workspace: Path) -> None:
    """`hide=` holds for all that is in it, in both directions."""
    (workspace / "private").mkdir()
    (workspace / "private" / "runs.db").write_text("secret")
    with open_sandbox(workspace, LIMITS, hide=[workspace / "private"]) as box:
        done = box.shell("ls -A; mkdir private; echo x > private/runs.db; echo y > private/new")
    assert done.stdout == ""
    assert done.files == ()
    assert [path.name for path in (workspace / "private").iterdir()] == ["runs.db"]
    assert (workspace / "private" / "runs.db").read_text() == "secret"


def test_the_home_folder_as_workspace_keeps_its_hidden_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Someone who runs the agent at home does not hand over ~/.config; a folder that holds the home is refused."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".config").mkdir()
    (tmp_path / ".config" / "token").write_text("secret")
    (tmp_path / "notes.txt").write_text("x")
    with open_sandbox(tmp_path, LIMITS) as box:
        assert box.shell("ls -A").stdout == "notes.txt\n"
    with pytest.raises(UsageError):
        open_sandbox(tmp_path.parent, LIMITS)
    with pytest.raises(UsageError):
        open_sandbox(tmp_path / "missing", LIMITS)


def test_a_file_replaced_by_the_user_while_code_runs_is_not_deleted(workspace: Path) -> None:
    """What the code removed is removed outside only if it is still what the code was given."""
    (workspace / "a").write_text("old")
    with open_sandbox(workspace, LIMITS) as box:
        box.python("pass")
        threading.Timer(0.3, lambda: (workspace / "a").write_text("the user's new text")).start()
        box.python("import os, time; os.unlink('a'); time.sleep(0.8)")
    assert (workspace / "a").read_text() == "the user's new text"


def test_a_folder_may_become_a_file_and_a_file_a_folder(workspace: Path) -> None:
    """In both directions: what was there goes before what takes its name comes."""
    with open_sandbox(workspace, LIMITS) as box:
        box.python("import os; os.makedirs('a/b'); open('a/b/c', 'w').write('1'); open('f', 'w').write('2')")
        box.python("import os, shutil; shutil.rmtree('a'); open('a', 'w').write('3'); os.unlink('f'); os.mkdir('f')")
        assert (workspace / "a").read_text() == "3"
        assert (workspace / "f").is_dir()
        (workspace / "a").unlink()
        (workspace / "a").mkdir()
        (workspace / "a" / "x").write_text("4")
        (workspace / "f").rmdir()
        (workspace / "f").write_text("5")
        assert box.shell("cat a/x f").stdout == "45"


def test_what_the_code_was_not_given_it_cannot_replace(workspace: Path, tmp_path: Path) -> None:
    """A link of the user's that leads out is not carried in; a file of that name made inside stays inside."""
    (workspace / "data").symlink_to(tmp_path)
    with open_sandbox(workspace, LIMITS) as box:
        done = box.python("open('data', 'w').write('x')")
        assert any("something of yours" in reason for reason in done.left_out)
        done = box.python("import os; os.unlink('data'); os.symlink('a', 'data')")
        assert any("something of yours" in reason for reason in done.left_out)
    assert (workspace / "data").is_symlink()
    assert (workspace / "data").resolve() == tmp_path.resolve()


def test_messages_survive_the_wire_and_nonsense_does_not() -> None:
    """Any bytes come back as they went; lengths that do not add up are refused."""
    fields = (b"", b"x", bytes(range(256)) * 100)
    assert wire.decode(wire.encode(*fields)[4:]) == list(fields)
    for broken in (b"\0\0\0", b"\0\0\0\5abc", b"\xff\xff\xff\xff"):
        with pytest.raises(wire.Broken):
            wire.decode(broken)


def test_a_closed_sandbox_refuses_calls(workspace: Path) -> None:
    """A run that has ended runs nothing more."""
    from outrider.tools.sandbox import SandboxUnavailable

    box: Sandbox = open_sandbox(workspace, LIMITS)
    box.close()
    with pytest.raises(SandboxUnavailable):
        box.python("1")


def test_a_warm_sandbox_starts_in_the_background(workspace: Path) -> None:
    """`warm=True` returns at once; the first call uses what was started meanwhile."""
    began = time.monotonic()
    with open_sandbox(workspace, LIMITS, warm=True) as box:
        assert time.monotonic() - began < 0.05
        assert box.python("1 + 1").value == "2"


@pytest.mark.parametrize(
    ("path", "target", "inside"),
    [
        ("l", "a", True),
        ("l", "a/b", True),
        ("l", "./a//b", True),
        ("a/l", "../b", True),
        ("l", "..", False),
        ("l", "../x", False),
        ("a/l", "../../x", False),
        ("l", "/etc/passwd", False),
        ("l", "a/../b", False),
        ("l", "q/up/..", False),
        ("l", "", False),
        ("l", "a\0b", False),
    ],
)
def test_a_link_is_judged_by_where_it_can_lead(path: str, target: str, inside: bool) -> None:
    """Only links that stay in the workspace, whatever else becomes a link, come back."""
    assert stays_inside(path.encode(), target.encode()) is inside
