"""Makes what hostile code printed safe to keep and to show: valid Unicode, bounded, no control codes.
Touches nothing. Does not promise that the text is true, or not misleading to read.
"""

from __future__ import annotations

import re

# ECMA-48: CSI, then OSC/DCS/APC/PM/SOS strings up to their end, then two-character escapes.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
# C0 and C1 but newline and tab; marks that turn the direction of text; lone surrogates; line separators a terminal splits.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


def clean(text: str) -> str:
    """`text` without escape sequences and control codes; newlines and tabs stay, a bare carriage return is a newline."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", _ESCAPES.sub("", text))


def shown(total: int, head: bytes, tail: bytes, most_chars: int) -> str:
    """One stream as text of `most_chars` at most, plus a line that counts what was left out between head and tail."""
    missing = max(0, total - len(head) - len(tail))
    if not missing:
        whole = clean((head + tail).decode("utf-8", "replace"))
        if len(whole) <= most_chars:
            return whole
        first, last, missing = whole[: most_chars // 2], whole[-(most_chars // 2) :], len(whole) - most_chars
        return f"{first}\n… {missing:,} characters left out …\n{last}"
    first = clean(head.decode("utf-8", "replace"))[: most_chars // 2]
    last = clean(tail.decode("utf-8", "replace"))[-(most_chars // 2) :]
    return f"{first}\n… {missing:,} bytes left out …\n{last}"
