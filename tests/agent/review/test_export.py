"""Every export says what the run said, and hostile text in it stays text."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any

import pytest

from outrider.agent.review.export import FORMATS
from outrider.agent.review.export.send import NotTaken, send
from outrider.agent.review.export.sft import CHAT_TEMPLATE, Chosen
from outrider.memory.errors import UsageError
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from tests.agent.review.runs import HOSTILE, finished, long_run

VOID = {"meta", "img", "link", "br", "hr", "input"}


def written(journal: Journal, name: str) -> str:
    """A run in one format."""
    module, _, function = FORMATS[name][0].partition(":")
    write: Any = getattr(import_module(f"outrider.agent.review.export.{module}"), function)
    return "".join(write(journal))


class Page(HTMLParser):
    """What a browser would make of a page: tags, attributes, and whether they close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One tag."""
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Its end, which must fit."""
        assert self.open.pop() == tag


@pytest.mark.parametrize("hostile", ["", HOSTILE])
def test_the_page_is_self_contained_and_holds_no_script(store: Store, hostile: str) -> None:
    """It opens from a disk years later, asks nobody for anything, and runs nothing a model wrote."""
    page = Page(written(finished(store, hostile=hostile), "html"))
    assert page.open == []
    assert not {"script", "iframe", "object", "link", "base", "form"} & set(page.tags)
    assert [
        value for name, value in page.attributes if name in ("src", "href") and not value.startswith(("#", "data:"))
    ] == []
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]
    assert len(page.ids) == len(set(page.ids))
    links = {value for name, value in page.attributes if name == "href"}
    assert {link.removeprefix("#") for link in links} <= set(page.ids)


def test_the_page_says_what_the_run_said(store: Store) -> None:
    """Goal, calls, results, the answer with its evidence, the unsupported claim marked, the file's diff."""
    text = written(finished(store), "html")
    for words in (
        "price of ABC",
        "ABC closed at 41.5",
        "no support",
        "untrusted text",
        'class="dadd">+c',
        'href="#e5"',
    ):
        assert words in text
    assert re.search(r"\d+ of 1,000", text)


def test_markdown_keeps_foreign_text_in_its_fence(store: Store) -> None:
    """No text of a tool can close its code block, start a heading or place a link."""
    text = written(finished(store, hostile="\n# evil\n" + HOSTILE), "md")
    fence, outside = "", []
    for line in text.splitlines():
        ticks = re.match(r"`{3,}", line)
        if not fence and ticks:
            fence = ticks[0]
        elif fence and line == fence:
            fence = ""
        elif not fence:
            outside.append(line)
    assert fence == ""
    assert not [
        line
        for line in outside
        if line.startswith("# evil") or "](javascript" in line or "<script" in line.replace("\\<", "")
    ]


def test_otel_spans_form_one_tree_and_are_the_same_each_time(store: Store) -> None:
    """A collector shows the run as one trace; exporting twice does not double it."""
    journal = finished(store)
    text = written(journal, "otel")
    assert text == written(journal, "otel")
    spans = json.loads(text)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    roots = [s for s in spans if "parentSpanId" not in s]
    assert [s["name"] for s in roots] == ["invoke_agent outrider"]
    assert {s.get("parentSpanId", roots[0]["spanId"]) for s in spans} == {roots[0]["spanId"]}
    assert len({s["spanId"] for s in spans}) == len(spans) == 6
    names = {s["name"] for s in spans}
    assert {"chat gpt-x", "execute_tool price", "execute_tool write_file"} <= names
    tool = next(s for s in spans if s["name"] == "execute_tool price")
    said = {a["key"]: next(iter(a["value"].values())) for a in tool["attributes"]}
    assert (said["gen_ai.operation.name"], said["gen_ai.tool.name"]) == ("execute_tool", "price")
    assert all(int(s["startTimeUnixNano"]) <= int(s["endTimeUnixNano"]) for s in spans)


def test_atif_has_numbered_steps_and_results_that_belong_to_calls(store: Store) -> None:
    """The rules of the format: steps count from 1, each result names a call of its step."""
    made = json.loads(written(finished(store), "atif"))
    assert made["schema_version"] == "ATIF-v1.4"
    assert [s["step_id"] for s in made["steps"]] == [1, 2, 3, 4]
    assert [s["source"] for s in made["steps"]] == ["user", "agent", "agent", "agent"]
    for step in made["steps"]:
        calls = {c["tool_call_id"] for c in step.get("tool_calls", [])}
        assert {r["source_call_id"] for r in step.get("observation", {}).get("results", [])} == calls
    assert made["final_metrics"]["total_prompt_tokens"] == 30


def test_sft_pairs_every_call_with_its_result(store: Store) -> None:
    """A trainer gets the conversation the model had, with its tools."""
    row = json.loads(written(finished(store), "sft"))
    assert [m["role"] for m in row["messages"]] == ["user", "assistant", "tool", "assistant", "tool", "assistant"]
    assert row["messages"][1]["tool_calls"][0]["function"] == {"name": "price", "arguments": {"symbol": "ABC"}}
    assert row["messages"][2]["tool_call_id"] == row["messages"][1]["tool_calls"][0]["id"]
    assert row["tools"][0]["function"]["name"] == "price"


def test_a_data_set_leaves_out_repeats_and_what_has_no_support_and_says_so(store: Store) -> None:
    """Whoever trains knows what went in and what did not, and why."""
    chosen = Chosen(models=("openai:*",))
    good = long_run(store, 3)
    others = [finished(store), long_run(store, 3), finished(store, model="llama:x")]
    lines = [chosen.line(journal) for journal in (good, *others)]
    assert [line is not None for line in lines] == [True, False, False, False]
    sheet = chosen.datasheet()
    assert (sheet["conversations"], sheet["runs"], sheet["models"]) == (1, [good.run_id], {"openai:gpt-x": 1})
    assert sheet["left_out"] == {
        "a claim of the answer has no support": 1,
        "the same conversation again": 1,
        "another model": 1,
    }


@pytest.mark.slow
def test_sft_masks_cover_exactly_what_the_assistant_wrote(store: Store) -> None:
    """The chat template that comes with the data marks the assistant's tokens and no others."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed (extra `train`)")
    from outrider.agent.models.llama.packaged import smollm2_path

    file = smollm2_path()
    tokenizer = transformers.AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    row = json.loads(written(finished(store), "sft"))
    made = tokenizer.apply_chat_template(
        row["messages"], tools=row["tools"], chat_template=CHAT_TEMPLATE, tokenize=True, return_dict=True,
        return_assistant_tokens_mask=True,
    )  # fmt: skip
    learnt = [i for i, mask in zip(made["input_ids"], made["assistant_masks"], strict=True) if mask]
    text = tokenizer.decode(learnt)
    assert text.count("<|im_end|>") == 3
    assert "ABC closed at 41.5. It rained in Ulm." in text
    assert "wrote it" not in text
    assert "price of ABC" not in text


class Collector(BaseHTTPRequestHandler):
    """Takes OTLP/HTTP as a collector does: decodes it by the real protobuf definitions where they are installed."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        taken: Any = self.server
        taken.got.append((self.path, self.headers.get("authorization"), json.loads(body)))
        self.send_response(taken.status)
        self.end_headers()
        self.wfile.write(taken.says)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[Any]:
    """One on loopback. `got`: (path, authorization, request) of each."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    server.got, server.status, server.says = [], 200, b"{}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_spans_are_sent_to_a_collector_whole_and_in_pieces(
    store: Store, collector: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What arrives is what the file holds, at the standard path, with the headers of the environment."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20t")
    journal = long_run(store, 700)
    sent = send(journal, f"http://127.0.0.1:{collector.server_port}")
    spans = [s for _, _, r in collector.got for s in r["resourceSpans"][0]["scopeSpans"][0]["spans"]]
    assert sent == len(spans) == 1402
    assert len(collector.got) == 3
    assert {(path, who) for path, who, _ in collector.got} == {("/v1/traces", "Bearer t")}
    written_spans = json.loads(written(journal, "otel"))["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert spans == written_spans


def test_a_collector_that_does_not_take_them_is_told_in_words(store: Store, collector: Any) -> None:
    """Refused in part, refused whole, not there: never said to be sent."""
    journal, address = finished(store), f"http://127.0.0.1:{collector.server_port}"
    collector.says = b'{"partialSuccess": {"rejectedSpans": "2", "errorMessage": "too old"}}'
    with pytest.raises(NotTaken, match="refused 2 spans"):
        send(journal, address)
    collector.status, collector.says = 503, b"busy"
    with pytest.raises(NotTaken, match="answered 503"):
        send(journal, address)
    with pytest.raises(NotTaken, match="0 spans were sent"):
        send(journal, "http://127.0.0.1:1")
    with pytest.raises(UsageError, match="address of a collector"):
        send(journal, "ftp://x")


@pytest.mark.parametrize(
    ("says", "refused"),
    [
        (b"", ""), (b"ok", ""), (b"[]", ""), (b"7", ""), (b"[" * 50_000, ""), (b'{"partialSuccess": []}', ""),
        (b'{"partialSuccess": {"rejectedSpans": "0"}}', ""), (b'{"partialSuccess": {"rejectedSpans": null}}', ""),
        (b'{"partialSuccess": {"rejectedSpans": 3}}', "refused 3 spans"),
        (b'{"partialSuccess": {"rejectedSpans": "many", "errorMessage": ["x"]}}', "refused many spans"),
        (b'{"partialSuccess": {"rejectedSpans": {"n": 1}}}', "refused an unknown number of spans"),
        (b'{"partialSuccess": {"rejectedSpans": 1e999}}', "refused inf spans"),
        (b'{"partialSuccess": {"rejectedSpans": 2, "errorMessage": "' + b"x" * 5000 + b'"}}', "refused 2 spans"),
    ],
)  # fmt: skip
def test_an_odd_answer_of_a_collector_is_no_crash(store: Store, collector: Any, says: bytes, refused: str) -> None:
    """Any bytes may come back: what says that spans were refused is an error in words, and nothing else is one."""
    journal, address = finished(store), f"http://127.0.0.1:{collector.server_port}"
    collector.says = says
    if refused:
        with pytest.raises(NotTaken, match=refused):
            send(journal, address)
    else:
        assert send(journal, address) > 0


@pytest.mark.parametrize(
    "address",
    ["http://localhost:99999", "localhost:abc", "http://[::1", "http://localhost:-1", "http://h:0", "http://", ""],
)
def test_an_address_that_cannot_be_one_is_bad_input(store: Store, address: str) -> None:
    """Nobody is asked, and the exit code is that of a wrong flag, not of a collector that is away."""
    with pytest.raises(UsageError, match="address of a collector") as caught:
        send(finished(store), address)
    assert caught.value.exit_code == 2
