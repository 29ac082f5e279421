"""The same hostile text on every way through the program: prompt, journal, transcript, terminal, messages of errors."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from outrider.agent.cli import output
from outrider.agent.cli.progress import Progress
from outrider.agent.cli.prompts import question
from outrider.agent.models.chat import errors
from outrider.agent.models.chat.encode import wire_message
from outrider.agent.models.llama.chat import turns
from outrider.agent.models.model import Message, as_shown
from outrider.agent.review.lines import FULL, first_lines, one_line
from outrider.agent.review.render import plain
from outrider.agent.review.terminal import TranscriptWriter
from outrider.memory.events import ApprovalAsked
from outrider.memory.store import Store
from outrider.memory.text import for_model, for_storage, for_terminal
from outrider.tools.documents import reader as pages
from outrider.tools.sandbox.text import shown
from outrider.tools.tool import Observation, tool
from outrider.tools.web import search
from tests.agent.helpers import Actor, call, calls, run, says
from tests.memory.test_text import RAW

STORED, PROMPT, SHOWN = for_storage(RAW), for_model(RAW), for_terminal(RAW)


@tool(effect="read", fresh_s=0)
def hostile() -> Observation:
    """Say everything there is."""
    return Observation(RAW, origin="untrusted")


@tool(effect="read", fresh_s=0)
def broken() -> str:
    """Fail with everything there is."""
    raise RuntimeError(RAW)


@pytest.fixture
def told(store: Store, tmp_path: Path) -> tuple[Actor, list[str], str]:
    """(the model, the journal's texts, the transcript) of a run whose goal, tools and model say RAW."""
    model = Actor(calls(call("hostile"), call("broken"), text=f"thought {RAW}"), says(f"answer {RAW}"))
    done = run(store, model, [hostile, broken], goal=f"goal {RAW}", workspace=tmp_path)
    events = list(done.events())
    writer = TranscriptWriter(FULL)
    transcript = "\n".join(plain(line) for stored in events for line in writer.tell(stored))
    return model, [stored.body for stored in events], transcript


def test_journal_holds_what_storage_allows_and_nothing_else(told: tuple[Actor, list[str], str]) -> None:
    """Goal, thought, observation, failure, last reply and answer are kept the same way."""
    _, bodies, _ = told
    kept = [json.loads(body) for body in bodies]
    texts = [str(body.get(field, "")) for body in kept for field in ("goal", "text")]
    assert sum(STORED in text for text in texts) == 6
    assert any("left out, for they cannot be seen" in text for text in texts)
    assert all(_harmless(body) for body in map(_decoded, kept))


def test_prompt_is_the_journal_without_special_tokens(told: tuple[Actor, list[str], str]) -> None:
    """What strangers and the person wrote reaches the model whole, but it cannot pose as the template's own tokens."""
    model, _, _ = told
    messages = model.asked[-1].messages
    for message in (m for m in messages if m.role in ("user", "tool")):
        assert PROMPT in as_shown(message)
        assert "<|im_end|>" not in as_shown(message)
    assert STORED in next(m.text for m in messages if m.role == "assistant")


def test_transcript_shows_the_journal(told: tuple[Actor, list[str], str]) -> None:
    """Nothing in a transcript drives the terminal or hides, and nothing visible is lost."""
    _, _, transcript = told
    assert _harmless(transcript)
    for line in SHOWN.split("\n"):
        assert line.strip() in transcript


def test_approval_spells_out_what_it_asks_for() -> None:
    """What a person says yes to is what will run, to the last character."""
    lines, cut = question(
        ApprovalAsked(call_id="1.0", tool="send", arguments={"text": RAW}, effect="network"), whole=True
    )
    text = "\n".join(map(plain, lines))
    assert not cut
    assert _harmless(text)
    for line in for_terminal(RAW, spelled=True).split("\n"):
        assert line in text


CALLERS: dict[str, Callable[[str], str]] = {
    "one_line": lambda text: one_line(text, 500),
    "first_lines": lambda text: "\n".join(first_lines(text, 50, 5000)[0]),
    "the sandbox's output": lambda text: shown(0, text.encode("utf-8", "surrogatepass"), b"", 5000),
    "a page": lambda text: pages.text_page(text, title=text).text,
    "a page's title": lambda text: pages.text_page(text, title=text).title,
    "a search result": lambda text: search._line(text, 5000),
    "a server's message": lambda text: errors.short(text, 5000),
    "a chat-completions body": lambda text: str(
        wire_message(Message("tool", text, label="t", origin="untrusted"))["content"]
    ),
    "a GGUF model's turn": lambda text: str(turns([Message("user", text)], ())[-1]["content"]),
}


@pytest.mark.parametrize("caller", CALLERS)
def test_every_caller_lets_through_text_and_no_commands(caller: str) -> None:
    """Whoever takes foreign text uses the one cleaner: nothing that drives or hides, and every visible word."""
    said = CALLERS[caller](RAW)
    assert _harmless(said)
    for word in ("né", "🙂", "👩\u200d💻", "red", "abcdef"):
        assert word in said


def test_stderr_shows_foreign_text_harmlessly(capsys: pytest.CaptureFixture[str]) -> None:
    """A warning that quotes a stranger is text."""
    output.say(RAW)
    Progress(quiet=True).say(RAW)
    assert _harmless(capsys.readouterr().err)


def _decoded(body: object) -> str:
    return json.dumps(body, ensure_ascii=False).replace("\\n", "\n").replace("\\t", "\t")


def _harmless(text: str) -> bool:
    """Whether `text` is valid, drives nothing and hides nothing (joiners in words and emoji are no hiding)."""
    odd = [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in "\n\t\u200c\u200d"]
    return not odd and not any(0xE0000 <= ord(c) <= 0xE0FFF for c in text)
