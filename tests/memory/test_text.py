"""The one cleaner, class by class: what the table in memory/text.py says is what each use does."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outrider.memory import text as module
from outrider.memory.text import for_model, for_storage, for_terminal, hidden_in

# class: (text, stored, to a model, to a terminal, spelled)
TABLE = {
    "letters, signs, spaces, emoji": ("né ↑\u00a0🙂", "né ↑\u00a0🙂", "né ↑\u00a0🙂", "né ↑\u00a0🙂", "né ↑\u00a0🙂"),
    "line ends \\r\\n, \\r, U+2028, U+2029": (
        "a\r\nb\rc\u2028d\u2029e",
        *["a\nb\nc\nd\ne"] * 3,
        "a\\x0d\nb\\x0dc\\u2028d\\u2029e",
    ),
    "tab": ("a\tb", "a\tb", "a\tb", "a   b", "a\\x09b"),
    "escape sequences (ESC or C1: CSI, OSC, DCS …)": (
        "\x1b[31mred\x1b[0m\x1b]0;t\x07 \x9b1mx\x1bPq\x1b\\",
        *["red x"] * 3,
        "\\x1b[31mred\\x1b[0m\\x1b]0;t\\x07 \\x9b1mx\\x1bPq\\x1b\\",
    ),
    "C0, DEL, C1": ("a\x00\x07\x7f\x85b", *["ab"] * 3, "a\\x00\\x07\\x7f\\x85b"),
    "bidi controls (U+202E, U+2066 …)": ("a\u202eb\u2066\u200ec", *["abc"] * 3, "a\\u202eb\\u2066\\u200ec"),
    "zero width, invisible operators, layout controls of scripts, soft hyphen, U+180E, byte-order mark": (
        "\ufeffa\u200bb\u2060c\u2063d\u00ade\u180ef\U0001d173g\U0001bca0h\U00013430",
        *["abcdefgh"] * 3,
        "\\ufeffa\\u200bb\\u2060c\\u2063d\\xade\\u180ef\\U0001d173g\\U0001bca0h\\U00013430",
    ),
    "joiners U+200C, U+200D": (
        "می\u200cخ 👩\u200d💻 a\u200db\u200c\u200c",
        *["می\u200cخ 👩\u200d💻 ab"] * 3,
        "می\\u200cخ 👩\\u200d💻 a\\u200db\\u200c\\u200c",
    ),
    "Unicode tags U+E0000-E007F": ("a\U000e0049\U000e007fb", *["ab"] * 3, "a\\U000e0049\\U000e007fb"),
    "variation selectors U+E0100-E01EF; U+FE00-FE0F after ASCII (but keycaps) or a second in a row": (
        "❤\ufe0f\ufe00\U000e0101\U000e01efx\ufe01y 1\ufe0f\u20e3 1\ufe0f",
        *["❤\ufe0fxy 1\ufe0f\u20e3 1"] * 3,
        "❤\ufe0f\\ufe00\\U000e0101\\U000e01efx\\ufe01y 1\ufe0f\u20e3 1\\ufe0f",
    ),
    "lone surrogates": ("a\ud800b\ud83d\ude42", *["a\ufffdb🙂"] * 3, "a\\ud800b\\ud83d\\ude42"),
    "special tokens of chat templates (<\\|im_end\\|>, [INST] …)": (
        "<|im_end|> </s>[INST] a |> b",
        "<|im_end|> </s>[INST] a |> b",
        "< |im_end|> < /s>[ INST] a |> b",
        *["<|im_end|> </s>[INST] a |> b"] * 2,
    ),
}  # fmt: skip
RAW = "".join(row[0] for row in TABLE.values())


def test_table_of_the_module_is_the_table_of_this_test() -> None:
    """A class that is added to the page is checked here, and the other way round."""
    rows = re.findall(r"^\| (.+?) \| .*(?<!\\)\|$", module.__doc__ or "", re.MULTILINE)
    assert [row for row in rows if row != "class"] == list(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_each_use_does_what_the_table_says(name: str) -> None:
    """Stored, sent to a model, shown in a terminal and spelled out for an approval."""
    raw, *wanted = TABLE[name]
    assert [for_storage(raw), for_model(raw), for_terminal(raw), for_terminal(raw, spelled=True)] == wanted


@given(st.text(st.one_of(st.sampled_from(sorted(set(RAW))), st.characters())))
def test_any_text_comes_out_valid_and_stays_as_it_came_out(text: str) -> None:
    """Every use gives valid Unicode without controls; what is clean is not changed a second time."""
    for use in (for_storage, for_model, for_terminal):
        once = use(text)
        once.encode("utf-8")
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e0fff]", once)
        assert use(once) == once or use is for_terminal
    for_terminal(text, spelled=True).encode("utf-8")


@example("\\\x1f")
@example("\\\\\x1f\\x1f")
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_spelled_out_can_be_read_back(text: str) -> None:
    """What a person approves is all that there is: two texts that differ never look the same."""
    spelled = for_terminal(text, spelled=True)
    back = re.sub(
        r"\\x([0-9a-f]{2})|\\u([0-9a-f]{4})|\\U([0-9a-f]{8})|\\\\(?=[xuU])",
        lambda found: chr(int(found[1] or found[2] or found[3] or "5c", 16)),
        spelled,
    )
    assert back == text


def test_text_in_a_wrong_encoding_is_not_eaten() -> None:
    """A "ž" that was read as U+009E loses itself, not the paragraph after it."""
    assert for_storage("\x9eivot je lijep\x9d, \x9bword") == "ivot je lijep, word"


def test_hidden_characters_are_counted_in_words() -> None:
    """What is dropped is not dropped without a word."""
    assert hidden_in("a\U000e0049\U000e004ab\u202e") == "1 bidi control, 2 Unicode tags"
    assert hidden_in("\ufeffplain ❤\ufe0f") == ""
