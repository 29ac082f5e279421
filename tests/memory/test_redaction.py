"""What is stored and shown holds no secret, in whatever form a program gives it."""

from __future__ import annotations

import base64
import html
import json
import random
import string
import time
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.memory.events import ToolCalled, ToolReturned
from outrider.memory.redaction import Masker, from_environment
from outrider.memory.redaction.sealed import Sealer
from outrider.memory.redaction.stream import Stream

VALUE = 'pa"ss\\wörd/+=& 7'
PEM = "-----BEGIN PRIVATE KEY-----\r\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\r\nAbCdEfGhIjKlMnOpQrStUvWxYz012345\r\n-----END PRIVATE KEY-----"
FORMS = {
    "as it is": lambda v: v,
    "in a sentence": lambda v: f"the token is {v}, keep it",
    "URL-encoded": lambda v: f"https://h/?q={quote(v, safe='')}",
    "URL-encoded in small letters": lambda v: quote(v, safe="").lower() if v.islower() else quote(v, safe=""),
    "form-encoded": lambda v: quote_plus(v),
    "base64": lambda v: base64.b64encode(v.encode()).decode(),
    "base64 for addresses": lambda v: base64.urlsafe_b64encode(v.encode()).decode(),
    "basic authorization": lambda v: base64.b64encode(f"me:{v}".encode()).decode(),
    "inside longer base64": lambda v: base64.b64encode(f"x{v}yz".encode()).decode(),
    "JSON": lambda v: json.dumps({"a": v}),
    "JSON, not ASCII": lambda v: json.dumps({"a": v}, ensure_ascii=False),
    "JSON in JSON": lambda v: json.dumps(json.dumps({"a": v})),
    "JSON in JSON in JSON": lambda v: json.dumps(json.dumps(json.dumps([v]))),
    "repr": lambda v: repr({"a": v}),
    "HTML": lambda v: f"<p>{html.escape(v)}</p>",
    "hexadecimal": lambda v: v.encode().hex(),
    "other line ends": lambda v: v.replace("\r\n", "\n"),
}
SHAPES = (
    "sk-proj-abcDEF0123456789abcdef0123", "ghp_0123456789abcdefABCDEF0123456789abcd", "AKIAIOSFODNN7EXAMPLE",
    "xoxb-1234567890-abcdefghij", "hf_abcdefghijABCDEFGHIJ0123456789", "AIzaSyA-0123456789abcdefghijABCDEFGHI_k",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
    "github_pat_11ABCDEFG0123456789_abcdefghijkl", "glpat-abcdefghij0123456789",
)  # fmt: skip


@pytest.mark.parametrize("value", [VALUE, PEM, "plain-token-0123456789", "  spaced secret 42  "])
@pytest.mark.parametrize("form", FORMS)
def test_a_value_is_masked_in_every_form(form: str, value: str) -> None:
    """Whatever a program did to it, the value is not in the text that is kept."""
    masked = Masker({"TOKEN": value}).text(FORMS[form](value))
    assert "{{secret:TOKEN}}" in masked or "[hidden" in masked
    for line in value.split():
        if len(line) >= 12:
            assert line not in masked


@pytest.mark.parametrize("key", SHAPES)
def test_what_is_shaped_like_a_key_is_masked_whoever_it_belongs_to(key: str) -> None:
    """A key in a file that is read is not stored, although nobody named it."""
    masked = Masker().text(f"config: {key}\nnext line")
    assert key not in masked
    assert masked.startswith("config: [hidden:")
    assert masked.endswith("\nnext line")


def test_bearers_private_keys_and_passwords_in_addresses_are_masked() -> None:
    """The words around them stay, so that the text still reads."""
    text = f"Authorization: Bearer abc.DEF-123456\npostgresql://me:hunter22@db/x\n{PEM}\nend"
    masked = Masker().text(text)
    assert "abc.DEF" not in masked
    assert "hunter22" not in masked
    assert "MIIEv" not in masked
    assert "postgresql://me:[hidden: password]@db/x" in masked
    assert masked.endswith("\nend")


@pytest.mark.parametrize(
    "innocent",
    ["risk-taking is task-based and desk-bound-something-long", "the bearer of bad news arrives", "https://example.org:8080/a@b",
     "see http://host/path?x=1 and mail me@example.org", "disk-usage-of-the-old-machine", "basic understanding of things"],
)  # fmt: skip
def test_ordinary_text_stays_as_it_is(innocent: str) -> None:
    """A mask that bites at words nobody wants hidden would make answers wrong."""
    assert Masker({"TOKEN": "abcdefgh12345678"}).text(innocent) is innocent


def test_short_values_are_not_masked_in_text() -> None:
    """A secret of seven characters would hide half of every text."""
    assert Masker({"PIN": "1234567"}).text("call 1234567 now") == "call 1234567 now"


def test_an_event_is_masked_at_every_depth() -> None:
    """Texts of an event hold no secret; an event without one is the same object."""
    masker = Masker({"TOKEN": "abcdefgh12345678"})
    clean = ToolReturned(call_id="1.0", text="nothing here")
    assert masker.model(clean) is clean
    dirty = ToolReturned(call_id="1.0", text="it is abcdefgh12345678", detail="Traceback abcdefgh12345678")
    assert "abcdefgh" not in masker.model(dirty).body()


@pytest.mark.parametrize("value", [VALUE, PEM, "plain-token-0123456789", "  spaced secret 42  "])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("around", ["{}", "a\nline {} and more", 'in "quotes" {}', "gr\u00fc\u00dfe {}"])
def test_an_event_looked_through_at_once_is_masked_as_one_that_is_walked(form: str, value: str, around: str) -> None:
    """The quick look at an event as JSON misses nothing that the walk through its fields finds."""
    masker, text = Masker({"TOKEN": value}), around.replace("{}", FORMS[form](value))
    for event in (
        ToolReturned(call_id="1.0", tool="t", text=text),
        ToolReturned(call_id="1.0", tool="t", text="fine", detail=text),
        ToolCalled(call_id="1.0", tool="t", arguments={"deep": [{"k": text}]}),
        ToolCalled(call_id="1.0", tool="t", arguments={text: 1}),
    ):
        assert masker.event(event) == masker.model(event)
        assert masker.event(event) != event
    clean = ToolCalled(call_id="1.0", tool="t", arguments={"text": around})
    assert masker.event(clean) is clean


@pytest.mark.parametrize("key", SHAPES)
def test_a_key_in_an_event_is_masked_without_being_named(key: str) -> None:
    """With no secret to look for, the shapes of keys are still looked for in every field."""
    event = ToolCalled(call_id="1.0", tool="t", arguments={"deep": [{"k": f"use {key}"}]})
    assert Masker().event(event) == Masker().model(event) != event


def test_a_streamed_secret_is_masked_although_it_comes_in_pieces() -> None:
    """Nobody sees the first half of a key because the second half had not come yet."""
    stream, shown = Stream(Masker({"TOKEN": "abcdefgh12345678"})), ""
    for piece in ("the key is abcd", "efgh1234", "5678 and", " more"):
        shown += stream.piece(piece)
    assert shown + stream.rest() == "the key is {{secret:TOKEN}} and more"


def test_the_environment_knows_secrets_by_their_names() -> None:
    """A key of any provider is masked without being named; paths and switches are not secrets."""
    found = from_environment(
        {
            "ANTHROPIC_API_KEY": "abcdefgh1234",
            "DB_PASSWORD": "correct horse",
            "SSH_AUTH_SOCK": "/tmp/x",
            "PATH": "/usr/bin",
            "MY_TOKEN": "short",
        }
    )
    assert set(found) == {"ANTHROPIC_API_KEY", "DB_PASSWORD"}


def test_a_sealed_copy_comes_back_exactly_and_says_nothing_without_its_key(tmp_path: Path) -> None:
    """What `undo` needs is kept, and a database that is handed on does not hold the secret."""
    sealer, data = Sealer(tmp_path / "undo.key"), b"key = abcdefgh12345678\n" * 50
    sealed = sealer.seal(data)
    assert b"abcdefgh" not in sealed
    assert sealer.seal(data) == sealed
    assert Sealer(tmp_path / "undo.key").open(sealed) == data
    assert Sealer(tmp_path / "other.key").open(sealed) is None
    assert sealer.open(b"plain") == b"plain"
    assert (tmp_path / "undo.key").stat().st_mode & 0o077 == 0


def test_masking_costs_little() -> None:
    """With ten secrets a step's texts (16,000 characters) are masked in well under a millisecond or two."""
    masker = Masker({f"S{i}": "".join(random.Random(i).choices(string.ascii_letters, k=40)) for i in range(10)})
    text = "An ordinary observation, with https://example.org/a?b=c and numbers 12345. " * 215
    began = time.process_time()
    for _ in range(20):
        masker.text(text)
    assert (time.process_time() - began) / 20 < 0.0075  # 1.5 ms and room for a busy machine


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=8, max_size=60), st.sampled_from(sorted(FORMS)))
@settings(max_examples=60, deadline=None)
def test_random_secrets_are_masked(value: str, form: str) -> None:
    """Property: no form of a random value survives."""
    if len(value.strip()) < 8:
        return
    _check(value, form)


def _check(value: str, form: str) -> None:
    said = FORMS[form](value)
    masked = Masker({"TOKEN": value}, shapes=False).text(said)
    assert "{{secret:TOKEN}}" in masked, (value, form, masked)
    assert value not in masked


@pytest.mark.slow
def test_ten_thousand_random_secrets_are_masked() -> None:
    """The same over ten thousand secrets of every alphabet."""
    chance = random.Random(7)
    alphabets = (
        string.ascii_letters + string.digits,
        string.printable.strip(),
        string.hexdigits,
        "äöü€漢字🙂" + string.ascii_letters + " '\"\\&<>%+/=",
    )
    for number in range(10_000):
        value = "".join(chance.choices(alphabets[number % len(alphabets)], k=chance.randint(10, 64)))
        if len(value.strip()) >= 10:
            _check(value, sorted(FORMS)[number % len(FORMS)])
