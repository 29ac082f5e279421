"""What hostile code printed as text to keep and to show: valid Unicode, bounded, nothing that drives a terminal.
Touches nothing. Does not promise that the text is true, or not misleading to read.
"""

from __future__ import annotations

from outrider.memory.text import for_storage


def shown(total: int, head: bytes, tail: bytes, most_chars: int) -> str:
    """One stream as text of `most_chars` at most, plus a line that counts what was left out between head and tail."""
    missing = max(0, total - len(head) - len(tail))
    if not missing:
        whole = for_storage((head + tail).decode("utf-8", "replace"))
        if len(whole) <= most_chars:
            return whole
        first, last, missing = whole[: most_chars // 2], whole[-(most_chars // 2) :], len(whole) - most_chars
        return f"{first}\n… {missing:,} characters left out …\n{last}"
    first = for_storage(head.decode("utf-8", "replace"))[: most_chars // 2]
    last = for_storage(tail.decode("utf-8", "replace"))[-(most_chars // 2) :]
    return f"{first}\n… {missing:,} bytes left out …\n{last}"
