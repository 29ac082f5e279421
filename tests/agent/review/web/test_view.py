"""The viewer over HTTP: who may ask, what a page holds, what hostile text becomes, and what is followed live."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from outrider.agent.review.render import PNG
from outrider.agent.review.web.lists import MOST_FAMILY, family
from outrider.memory.events import (
    Answered,
    ApprovalGiven,
    Attachment,
    FlagRaised,
    GoalGiven,
    RunStarted,
    Stopped,
    ToolCalled,
    ToolReturned,
)
from outrider.memory.inbox import Inbox, open_questions
from outrider.memory.journal import Journal
from outrider.memory.store import Store, digest_of
from tests.agent.review.runs import HOSTILE, asking, call, finished, long_run
from tests.agent.review.test_export import Page, written
from tests.agent.review.web.viewer import TOKEN, Viewer, viewing


@pytest.fixture
def viewer(store: Store) -> Iterator[Viewer]:
    """A viewer of the store."""
    with viewing(store) as one:
        yield one


def test_nobody_sees_anything_without_the_token(store: Store, viewer: Viewer) -> None:
    """Another program's page, or another user of the machine, gets nothing but the way in."""
    run = finished(store).run_id
    with viewer.client(known=False) as client:
        for path in ("/", f"/runs/{run}", f"/runs/{run}/live", "/static/style.css", "/search?q=ABC"):
            assert (client.get(path).status_code, "ABC" in client.get(path).text) == (401, False)
        assert client.get("/?token=wrong").status_code == 401
        entered = client.get(f"/?token={TOKEN}")
        assert (entered.status_code, "token" in str(entered.url)) == (200, False)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost:1", "[::1]", "127.0.0.1.evil.example:{port}"])
def test_another_host_name_is_refused(store: Store, viewer: Viewer, host: str) -> None:
    """DNS rebinding: a name of the attacker that points to loopback is not this viewer."""
    with viewer.client() as client:
        assert client.get("/", headers={"host": host.format(port=viewer.port)}).status_code == 400


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "https://127.0.0.1:{port}", "http://127.0.0.1:1"]
)
def test_an_action_from_another_page_is_refused(store: Store, viewer: Viewer, origin: str | None) -> None:
    """A page elsewhere cannot resume, fork or stop a run."""
    run = finished(store).run_id
    headers = {"origin": origin.format(port=viewer.port)} if origin else {}
    with viewer.client() as client:
        assert client.post(f"/runs/{run}/fork", headers=headers, content="goal=x").status_code == 403
    assert viewer.started == []


def test_actions_start_the_command_a_person_would_type(store: Store, viewer: Viewer) -> None:
    """Resume with more, fork with another goal; a goal that looks like a flag stays a goal; nonsense is refused."""
    run = finished(store).run_id
    headers = {"origin": viewer.address, "content-type": "application/x-www-form-urlencoded"}
    with viewer.client() as client:
        client.post(f"/runs/{run}/resume", headers=headers, content="tokens=%2B500&usd=")
        client.post(f"/runs/{run}/fork", headers=headers, content="goal=--unsafe-no-sandbox&at=5")
        assert client.post(f"/runs/{run}/resume", headers=headers, content="usd=1%3Brm").status_code == 404
        assert client.post(f"/runs/{run}/stop", headers=headers).status_code == 404  # nobody drives it
        assert client.post(f"/runs/{run}/explode", headers=headers).status_code == 404
    assert viewer.started == [
        ["resume", run, "--tokens", "+500"],
        ["fork", run, "--goal=--unsafe-no-sandbox", "--at", "5"],
    ]


def test_a_call_is_answered_on_the_page_exactly_as_it_was_shown(store: Store, viewer: Viewer) -> None:
    """Every hidden character is written out; the digest in the form is what is answered; a second answer is refused in words."""
    journal = asking(store, "\u202e")
    headers = {"origin": viewer.address, "content-type": "application/x-www-form-urlencoded"}
    with viewer.client() as client:
        shown = client.get(f"/runs/{journal.run_id}").text
        assert "\\u202e" in shown
        assert "Waits for you" in client.get("/").text
        (question,) = open_questions(store, journal.run_id)
        post = f"/runs/{journal.run_id}/answer"
        fields = {
            "digest": question.digest,
            "word": "approve",
            "scope": "once",
            "arguments": json.dumps({"text": "bye"}),
        }
        stale = client.post(post, headers=headers, content=urlencode(fields | {"digest": "0" * 32}))
        assert (stale.status_code, "changed since it was shown" in stale.text) == (404, True)
        assert client.post(post, headers=headers, content=urlencode(fields | {"arguments": "{"})).status_code == 404
        assert client.post(post, headers={**headers, "origin": "http://evil.example"}, content="").status_code == 403
        assert client.post(post, headers=headers, content=urlencode(fields)).status_code == 200
        given = Inbox(store, journal.run_id).found("1.0", question.digest)
        assert given is not None
        assert (given.action, given.arguments, given.via) == ("approve", {"text": "bye"}, "page")
        second = client.post(post, headers=headers, content=urlencode(fields | {"word": "deny"}))
        assert (second.status_code, "allowed with other arguments" in second.text) == (404, True)
    journal.release()


def test_a_run_is_told_to_stop_on_the_page(store: Store, viewer: Viewer) -> None:
    """Whoever drives it finds the word, on this machine or another."""
    journal = asking(store)
    with viewer.client() as client:
        answer = client.post(f"/runs/{journal.run_id}/stop", headers={"origin": viewer.address})
    assert "told to stop" in answer.text
    assert Inbox(store, journal.run_id).told_to_stop(journal.fence)
    journal.release()


def test_the_decisions_of_a_run_say_why_and_who(store: Store, viewer: Viewer) -> None:
    """The rule, the flags that were up and what raised them, the person and where."""
    journal = asking(store)
    journal.append(
        FlagRaised(call_id="1.0", flag="private", why="the file notes.txt"),
        ApprovalGiven(call_id="1.0", approved=False, by="mira", via="page", reason="not today", waited_s=3),
        ToolReturned(
            call_id="1.0", tool="send", text="Not allowed: network calls need a person's yes", ok=False, ran=False
        ),
        ToolCalled(call_id="2.0", tool="look", arguments={"n": 1}, reason="read is allowed"),
    )
    journal.release()
    with viewer.client() as client:
        shown = client.get(f"/runs/{journal.run_id}/decisions").text
    for said in ("the file notes.txt", "mira (page)", "asked: refused", "read is allowed", "api.example.org"):
        assert said in shown, said


def test_runs_are_compared_with_plots(store: Store, viewer: Viewer) -> None:
    """Two models, drawn side by side; a label that nothing has says so."""
    runs = [finished(store, model=f"openai:gpt-{n}", price=str(n)).run_id for n in range(3)]
    with viewer.client() as client:
        shown = client.get("/compare?" + "&".join(f"run={run}" for run in runs)).text
        assert shown.count("<svg") >= 3
        assert "openai:gpt-2" in shown
        assert "No run has this label" in client.get("/compare?label=none").text


def test_every_run_of_a_label_is_counted_and_of_many_the_last_are_listed(
    store: Store, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A comparison that left runs out without a word would be a wrong answer."""
    monkeypatch.setattr("outrider.agent.review.web.app.LIST", 2)
    for number in range(5):
        journal = Journal.create(store, RunStarted(goal=f"g{number}", model="m"), label="many")
        journal.append(Answered(text="a"), Stopped(reason="answered" if number else "stuck"))
        journal.release()
    with viewer.client() as client:
        shown = client.get("/compare?label=many").text
    assert "5 runs compared" in shown
    assert "the last 2 of 5 are listed; all of them are counted above" in shown
    assert "4 answered, 1 stuck" in shown
    assert [f"g{n}" in shown for n in range(5)] == [False, False, False, True, True]


def test_a_large_family_is_read_as_far_as_it_is_shown(store: Store, viewer: Viewer) -> None:
    """The first of many children are listed, each with what became of it; a parent that was deleted is named."""
    parent = finished(store)
    for number in range(MOST_FAMILY + 5):
        child = Journal.create(store, RunStarted(goal=f"child {number}.", model="m"), parent=parent.run_id)
        child.append(Stopped(reason="stuck"))
        child.release()
    lost = Journal.create(store, RunStarted(goal="lost", model="m"), parent="260101-gone")
    lost.release()
    found = family(store, Journal.open_for_reading(store, parent.run_id))
    assert [(one.what, one.goal, one.state) for one in found[:2]] == [
        ("child", "child 0.", "stuck"), ("child", "child 1.", "stuck"),
    ]  # fmt: skip
    assert len(found) == MOST_FAMILY
    (above,) = family(store, Journal.open_for_reading(store, lost.run_id))
    assert (above.what, above.id, above.goal) == ("parent", "260101-gone", "(deleted)")
    with viewer.client() as client:
        assert "child 0." in client.get(f"/runs/{parent.run_id}").text


def test_what_came_with_a_goal_is_on_its_page(store: Store, viewer: Viewer) -> None:
    """A picture is seen, in the viewer and in the exported page; a text can be opened; a picture that is gone is named."""
    png = PNG + b"rest of it"
    digest, gone = digest_of(png), digest_of(b"gone")
    pictures = (Attachment(name="photo.png", picture=digest, size=len(png), note="shown to the model"),)
    rest = (Attachment(name="notes.txt", text="the <b>notes</b>"), Attachment(name="old.png", picture=gone))
    journal = Journal.create(
        store, RunStarted(goal="what is it?", model="m", attachments=pictures + rest), blobs={digest: png}
    )
    journal.append(
        Answered(text="a cat"), GoalGiven(goal="and this?", attachments=pictures), Stopped(reason="answered")
    )
    journal.release()
    with viewer.client() as client:
        shown = client.get(f"/runs/{journal.run_id}").text
        source = f'<img src="/runs/{journal.run_id}/blob/{digest}" alt="photo.png" loading="lazy">'
        assert shown.count(source) == 2
        assert client.get(f"/runs/{journal.run_id}/blob/{digest}").headers["content-type"] == "image/png"
    exported = written(journal, "html")
    for page in (shown, exported):
        assert "the &lt;b&gt;notes&lt;/b&gt;" in page
        assert "<b>old.png</b> the picture is not kept" in page
    assert exported.count("data:image/png;base64,") == 2


def test_a_result_that_is_a_table_is_one_on_the_page(store: Store, viewer: Viewer) -> None:
    """Columns, numbers to the right, a bar a row; the text the model saw is one click away."""
    journal = Journal.create(store, RunStarted(goal="g", model="m"))
    text = "3 rows:\nregion | total\nnorth <b> | 1,200.50\nsouth | 300\neast | -20"
    journal.append(*call(1, "table", {"sql": "SELECT"}, text))
    journal.release()
    with viewer.client() as client:
        shown = client.get(f"/runs/{journal.run_id}").text
    assert "total by region" in shown
    assert '<td class="num">1,200.50</td>' in shown
    assert "north &lt;b&gt;" in shown


@pytest.mark.parametrize("hostile", ["", HOSTILE])
def test_every_page_is_whole_and_holds_only_our_script(store: Store, viewer: Viewer, hostile: str) -> None:
    """What a model, a page or a file says is text on every view."""
    run, other = finished(store, hostile=hostile).run_id, finished(store, price="12").run_id
    paths = (
        "/",
        f"/runs/{run}",
        f"/runs/{run}/context/3",
        f"/runs/{run}/decisions",
        f"/compare?run={run}&run={other}",
        f"/runs/{asking(store, hostile).run_id}",
        "/search?" + urlencode({"q": "closed" + hostile}),
        f"/diff?a={run}&b={other}",
        "/runs/none",
    )
    with viewer.client() as client:
        for path in paths:
            answer = client.get(path)
            page = Page(answer.text)
            assert page.open == []
            assert page.tags.count("script") == 1
            assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]
            assert all(
                v.startswith(("/", "#")) and not v.startswith("//")
                for n, v in page.attributes
                if n in ("src", "href", "action")
            )
            assert "script-src 'self'" in answer.headers["content-security-policy"]
            assert answer.headers["x-content-type-options"] == "nosniff"
        assert "&lt;script&gt;" in client.get(f"/runs/{run}").text or not hostile


def test_a_stored_output_is_never_a_page(store: Store, viewer: Viewer) -> None:
    """HTML or SVG a tool made comes back as plain text; a picture as a picture."""
    from outrider.memory.events import Artifact, Noted, ToolReturned
    from outrider.memory.store import digest_of

    files = {
        b"<html><script>1</script>": "text/plain",
        b"<svg onload=x()>": "text/plain",
        b"\x89PNG\r\n\x1a\n123": "image/png",
    }
    journal = Journal.create(store, RunStarted(goal="g", model="m"))
    made = tuple(Artifact(name="x", media_type="text/html", digest=digest_of(data), size=9) for data in files)
    journal.append(ToolReturned(call_id="1.0", artifacts=made), Noted(text="n"), blobs={digest_of(d): d for d in files})
    journal.release()
    with viewer.client() as client:
        for data, kind in files.items():
            answer = client.get(f"/runs/{journal.run_id}/blob/{digest_of(data)}")
            assert answer.headers["content-type"].startswith(kind)


def test_a_long_run_is_shown_a_piece_at_a_time_and_nothing_is_missing(store: Store, viewer: Viewer) -> None:
    """The first screen of 10,000 events costs the first steps; the pieces together are the whole run."""
    journal = long_run(store, 300)
    with viewer.client() as client:
        first = client.get(f"/runs/{journal.run_id}").text
        assert first.count('<article class="step"') == 50
        pieces = [client.get(f"/runs/{journal.run_id}/steps?from={n}").text for n in range(0, 350, 50)]
    seen = [f"seen {n}<" in "".join(pieces) for n in range(1, 301)]
    assert all(seen)
    assert sum(piece.count('<article class="step"') for piece in pieces) == 302


def test_a_live_run_is_followed_and_a_reader_that_comes_back_misses_nothing(store: Store, viewer: Viewer) -> None:
    """New steps arrive soon after their commit; with the last id, the stream goes on where it broke."""
    journal = Journal.create(store, RunStarted(goal="g", model="m"))
    journal.append(*call(1, "look", {"n": 1}, "seen 1"))

    def go_on() -> None:
        time.sleep(0.4)
        journal.append(*call(2, "look", {"n": 2}, "seen 2"))
        time.sleep(0.4)
        journal.append(Answered(text="done"), Stopped(reason="answered"))
        journal.release()

    worker = threading.Thread(target=go_on)
    worker.start()
    got = list(_stream(viewer, f"/runs/{journal.run_id}/live?after=5"))
    worker.join()
    assert [name for name, _, _ in got][-1] == "end"
    assert any("seen 2" in data["html"] for name, _, data in got if name == "steps")
    assert got[-1][1] == journal.head_seq
    again = list(_stream(viewer, f"/runs/{journal.run_id}/live", {"last-event-id": "5"}))
    assert "seen 2" in "".join(data.get("html", "") for _, _, data in again)


def _stream(
    viewer: Viewer, path: str, headers: dict[str, str] | None = None
) -> Iterator[tuple[str, int, dict[str, str]]]:
    with viewer.client() as client, client.stream("GET", path, headers=headers or {}) as answer:
        name, seq = "", 0
        for line in answer.iter_lines():
            if line.startswith("id: "):
                seq = int(line[4:])
            elif line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                yield name, seq, json.loads(line[6:])


def test_the_port_is_named_when_it_is_taken(store: Store, viewer: Viewer, tmp_path: Path) -> None:
    """A clear sentence, no traceback."""
    from outrider.agent.review.web.server import serve
    from outrider.memory.errors import UsageError

    with pytest.raises(UsageError, match=str(viewer.port)):
        serve(store, "", viewer.port, lambda address: None)
