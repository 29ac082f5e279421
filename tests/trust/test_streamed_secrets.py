"""Text that comes in pieces is shown without secrets, wherever the pieces end: every cut of every secret is tried."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from outrider.memory.redaction import Masker
from outrider.memory.redaction.stream import Stream

PASSPHRASE = "correct horse battery staple"
PEM = (
    "-----BEGIN PRIVATE KEY-----\n"
    + "\n".join("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" + str(n) * 8 for n in range(9))
    + "\n-----END PRIVATE KEY-----"
)
LINES = "first-line-of-a-secret-0123\nsecond-line-of-it-456789\n"
NAMED = {"PHRASE": PASSPHRASE, "TOKEN": "tok-0123456789-abcdefgh", "LINES": LINES}
TEXTS = {
    "a passphrase with blanks": (f"I log in with {PASSPHRASE} and go on", PASSPHRASE),
    "a passphrase at the end": (f"it is {PASSPHRASE}", PASSPHRASE),
    "one twice": (f"{PASSPHRASE} {PASSPHRASE}. {PASSPHRASE}", PASSPHRASE),
    "after its own beginning": (f"correct horse correct horse battery {PASSPHRASE} ok", PASSPHRASE),
    "a passphrase in an address": (f"see http://h/?q={quote(PASSPHRASE)} and more", quote(PASSPHRASE)),
    "a passphrase in JSON": (json.dumps({"a": PASSPHRASE}) + " and on", PASSPHRASE),
    "a token": ("use tok-0123456789-abcdefgh now", "tok-0123456789-abcdefgh"),
    "several lines": (f"the file holds\n{LINES}and that is all", "second-line-of-it-456789"),
    "a private key nobody named": (f"it is\n{PEM}\nso take it", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"),
    "two private keys": (f"{PEM}\nand\n{PEM}\n", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"),
    "a private key that does not end": (f"it is\n{PEM[:200]}", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"),
    "a bearer token": ("send Authorization: Bearer abcdefghij0123456789XYZ to it", "abcdefghij0123456789XYZ"),
    "basic credentials": ("Authorization: Basic dXNlcjpwYXNzd29yZDEyMzQ1 there", "dXNlcjpwYXNzd29yZDEyMzQ1"),
    "a cloud's secret": ("aws_secret_access_key = wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYab then", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYab"),
    "in a long text without a blank": ("x" * 9000 + "tok-0123456789-abcdefgh" + "y" * 9000, "tok-0123456789-abcdefgh"),
    "a long key": ("x" * 3000 + "." + "eyJ" + "a1B" * 900 + "." + "c2D" * 900 + "." + "e3F" * 20 + ".", "a1B" * 900),
}  # fmt: skip


def shown(text: str, cuts: list[int]) -> str:
    """What a listener was told in all, when the text came cut at these places."""
    stream, said, at = Stream(Masker(NAMED)), "", 0
    for cut in [*cuts, len(text)]:
        said += stream.piece(text[at:cut])
        at = cut
    return said + stream.rest()


@pytest.mark.parametrize("name", TEXTS)
def test_no_cut_shows_a_secret(name: str) -> None:
    """Two pieces, cut anywhere; pieces of one to seventeen letters; and all that is no secret comes, in order."""
    text, secret = TEXTS[name]
    whole = Masker(NAMED).text(text)
    assert secret not in whole
    some = range(1, len(text)) if len(text) < 1000 else range(2900, len(text), 997)
    for cut in some:
        assert secret not in shown(text, [cut])
    for size in (1, 2, 3, 7, 17, 4096, 5000):
        told = shown(text, list(range(size, len(text), size)))
        assert secret not in told, size
        assert [line for line in PEM.split("\n")[1:-1] if line in told] == [], size
        assert told == whole or len(text) > 1000, size


def test_words_come_as_soon_as_they_can_be_no_secret() -> None:
    """Control: text is not held back for the sake of a secret that it does not begin."""
    stream = Stream(Masker(NAMED))
    assert stream.piece("It was a cold ") == "It was a cold "
    assert stream.piece("day and correct ") == "day and "
    assert stream.piece("weather ") == "correct weather "
