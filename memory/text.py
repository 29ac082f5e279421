r"""The one cleaner of foreign text: what a model, a page, a tool, a file or a server wrote is data, never a command.
Touches nothing; standard library only. Start reading at `for_storage`.
Does not promise: that text is true, nor that letters of two alphabets that look alike are the same letter.

What each use does with each class of characters (one test walks this table over every caller, tests/test_text.py):

| class | for_storage | for_model | for_terminal | for_terminal(spelled=True) |
|---|---|---|---|---|
| letters, signs, spaces, emoji | kept | kept | kept | kept |
| line ends \r\n, \r, U+2028, U+2029 | \n | \n | \n | all but \n spelled |
| tab | kept | kept | spaces | spelled |
| escape sequences (ESC or C1: CSI, OSC, DCS …) | dropped whole | dropped whole | dropped whole | spelled |
| C0, DEL, C1 | dropped | dropped | dropped | spelled |
| bidi controls (U+202E, U+2066 …) | dropped | dropped | dropped | spelled |
| zero width, invisible operators, layout controls of scripts, soft hyphen, U+180E, byte-order mark | dropped | dropped | dropped | spelled |
| joiners U+200C, U+200D | kept singly between letters that are not ASCII (Persian, emoji) | same | same | spelled |
| Unicode tags U+E0000-E007F | dropped | dropped | dropped | spelled |
| variation selectors U+E0100-E01EF; U+FE00-FE0F after ASCII (but keycaps) or a second in a row | dropped | dropped | dropped | spelled |
| lone surrogates | U+FFFD, halves that fit joined | same | same | spelled |
| special tokens of chat templates (<\|im_end\|>, [INST] …) | kept | broken by a space: < \|im_end\|> | kept | kept |

"Spelled" is \x1b, \u202e, \U000e0041, and a backslash before x, u or U is doubled so that nothing can pose as spelled:
it is for what a person approves, where what is seen must be what happens. The other uses are idempotent.
"""

from __future__ import annotations

import re

_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_ZERO_WIDTH = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # layout of hieroglyphs, shorthand and music
)
_JOINERS = "\u200c\u200d"
_TAGS = "\U000e0000-\U000e007f"
_SELECTORS = "\U000e0080-\U000e0fff"  # U+E0100-E01EF, and the rest of that block: reserved, and as invisible
_BREAKS = "\u2028\u2029"
_HIDDEN = f"{_BIDI}{_ZERO_WIDTH}{_TAGS}{_SELECTORS}"
_DROPPED = f"{_CONTROLS}{_HIDDEN}"

# ECMA-48: CSI, then OSC, DCS, APC, PM and SOS strings, then two-character escapes. A string must end on its line: one that
# does not loses only its opening, for text in a wrong encoding (U+009E for "ž") must not be eaten. So with CSI as C1.
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]?|\x9b[0-?]+[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x00-\x08\x0a-\x1f\x7f-\x9f]{0,4096}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]?"
)
# A variation selector stands after what has variants: no ASCII but the signs of keycaps (1\ufe0f\u20e3), and nothing hidden.
_STRAY = (
    f"(?<=[{_DROPPED}{_JOINERS}\ufe00-\ufe0f])[\ufe00-\ufe0f]"
    "|(?<![^\x00-\x7f])(?<![0-9#*])[\ufe00-\ufe0f]|(?<=[0-9#*])(?!\ufe0f\u20e3)[\ufe00-\ufe0f]"
)
_DROP = re.compile(
    f"[{_DROPPED}]"
    f"|[{_JOINERS}](?![^\x00-\x7f{_DROPPED}{_JOINERS}])"  # nothing visible but ASCII after it …
    f"|(?<![^\x00-\x7f{_DROPPED}{_JOINERS}])[{_JOINERS}]"  # … or before it
    f"|{_STRAY}"
)
_LINE_ENDS = re.compile(f"\r\n?|[{_BREAKS}]")
_TO_LOOK_AT = re.compile(f"[{_DROPPED}{_JOINERS}{_BREAKS}\r\ufe00-\ufe0f]")  # most text has none of these
_WRITTEN_OUT = f"[{_DROPPED}{_JOINERS}{_BREAKS}\t\ud800-\udfff]"
_SPELLED = re.compile(  # group 1: backslashes before what is written out, which could be read as a part of it
    rf"(?<!\\)(\\++)(?={_WRITTEN_OUT})|{_WRITTEN_OUT}|{_STRAY}|\\(?=[xuU])"
)
# ChatML and its kin, DeepSeek, Llama 2, Mistral, Gemma, GLM, and the tags that Qwen and Hermes put around tools.
_TOKENS = re.compile(
    r"<(?=[|｜][^\s<>|｜]{1,60}[|｜]>)|[<\[](?=/?(?:s|bos|eos|pad|unk|sop|eop|think|(?:start|end)_of_(?:turn|image)"
    r"|tool_(?:call|response|output|result)s?|SYS|INST|gMASK|sMASK|(?:AVAILABLE_)?TOOLS|TOOL_(?:CALLS|RESULTS))[>\]])",
    re.IGNORECASE,
)
_NAMES = (
    ("bidi control", re.compile(f"[{_BIDI}]")),
    (
        "zero-width character",
        re.compile(f"(?![\u00ad\ufeff])[{_ZERO_WIDTH}]"),
    ),  # but these two: every day in honest text
    ("Unicode tag", re.compile(f"[{_TAGS}]")),
    ("variation selector", re.compile(f"[{_SELECTORS}]")),
)


def for_storage(text: str) -> str:
    """Text fit to keep and to search: valid Unicode, line ends \\n, nothing that drives a terminal, nothing hidden."""
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text  # most text: seen in a third of the time
    text = whole_characters(text)
    if _TO_LOOK_AT.search(text) is None:
        return text
    return _DROP.sub("", _ESCAPES.sub("", _LINE_ENDS.sub("\n", text)))


def for_model(text: str) -> str:
    """Text fit to stand in a prompt: as it is stored, and no part of it is a special token of a chat template."""
    text = for_storage(text)
    return _TOKENS.sub(r"\g<0> ", text) if "<" in text or "[" in text else text


def for_terminal(text: str, *, spelled: bool = False) -> str:
    """Text fit to show: as it is stored, tabs as spaces. `spelled`: exactly as it is, what cannot be seen written out."""
    if spelled:
        return _SPELLED.sub(_spell, text)
    return for_storage(text).expandtabs(4)


def hidden_in(text: str) -> str:
    """What `text` holds that nobody sees, in words: "12 Unicode tags, 1 bidi control"; "" for most text."""
    if text.isascii():
        return ""
    counted = ((len(one.findall(text)), name) for name, one in _NAMES)
    return ", ".join(f"{number:,} {name}{'' if number == 1 else 's'}" for number, name in counted if number)


def whole_characters(text: str) -> str:
    """`text` with split surrogate pairs joined and lone halves replaced by U+FFFD: UTF-8 and SQL cannot hold them."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _spell(found: re.Match[str]) -> str:
    if found[1]:
        return "\\x5c" * len(found[1])
    code = ord(found[0])
    if code == 0x5C:
        return "\\\\"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
