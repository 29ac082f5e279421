"""How long a server asks us to wait, from the headers of its answer. Touches nothing; standard library only.
Does not promise: that waiting helps; whoever asks keeps to a deadline of their own.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

MAX_WAIT_S = 3600.0  # a server that asks for more is believed to mean "not today"; the caller's deadline decides


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, 0 to MAX_WAIT_S: `retry-after-ms`, else `retry-after` in seconds or as a date; None: nothing usable.

    The names of `headers` are lower case (or the mapping does not mind).
    """
    try:
        if "retry-after-ms" in headers:
            wait_s = float(headers["retry-after-ms"]) / 1000
        elif re.fullmatch(r"\s*[\d.]+\s*", raw := headers["retry-after"]):
            wait_s = float(raw)
        else:
            wait_s = parsedate_to_datetime(raw).timestamp() - time.time()
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    return min(max(wait_s, 0.0), MAX_WAIT_S) if math.isfinite(wait_s) else None
