"""What `outrider models check` found about a model on a server, remembered in the data folder and used at the next start.
Touches one JSON file there. Does not promise: that a server is still as it was; what a person says always counts more.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

MOST_BYTES = 1_000_000
MOST_KEPT = 200


@dataclass(frozen=True, slots=True)
class Findings:
    """One model, as it was at `at` (UTC). None: it could not be told.

    calls: "native", "text (DIALECT)", "grammar", "none". window: tokens. tokens_per_s: written; first_s: seconds to the
    first piece. streams: whether a streamed reply arrived; whole: whether one that is not streamed did.
    """

    model: str
    base_url: str = ""
    at: str = ""
    calls: str | None = None
    parallel: bool | None = None
    nested: bool | None = None
    uses_results: bool | None = None
    thinks: bool | None = None
    whole: bool | None = None
    streams: bool | None = None
    usage: bool | None = None
    stream_usage: bool | None = None
    window: int | None = None
    keeps_limit: bool | None = None
    tokens_per_s: float | None = None
    first_s: float | None = None

    def settings(self) -> dict[str, Any]:
        """What `open_model` is given, where nobody says otherwise."""
        window = {"max_context": self.window} if self.window else {}
        stream = {"stream": self.streams} if self.streams is not None and self.whole is (not self.streams) else {}
        return window | stream


def address(spec: str, base_url: str | None) -> str:
    """The server a model is found at, as findings are filed: for `openai:` the address, "" for OpenAI's own and all others."""
    if not spec.startswith("openai:"):
        return ""
    return (base_url or os.environ.get("OPENAI_BASE_URL") or "").strip().rstrip("/")


def remember(found: Findings) -> None:
    """Keep it, in place of what was known. Raises OSError."""
    file = _file()
    kept = [one for one in _read(file) if (one.get("model"), one.get("base_url", "")) != (found.model, found.base_url)]
    plain = {name: value for name, value in asdict(found).items() if value not in (None, "")}
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(prefix=".findings-", dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump([*kept[-MOST_KEPT + 1 :], plain], out, indent=1)
        Path(beside).replace(file)
    finally:
        Path(beside).unlink(missing_ok=True)


def remembered(model: str, base_url: str = "") -> Findings | None:
    """What was found of this model at this address; None: nothing, or nothing that can be read."""
    for one in _read(_file()):
        if (one.get("model"), one.get("base_url", "")) == (model, base_url):
            with suppress(TypeError):
                return _sound(Findings(**{k: v for k, v in one.items() if k in Findings.__dataclass_fields__}))
    return None


def _sound(found: Findings) -> Findings | None:
    window = found.window
    good = window is None or (isinstance(window, int) and not isinstance(window, bool) and 256 <= window <= 1 << 30)
    return found if good and all(isinstance(one, bool | None) for one in (found.streams, found.whole)) else None


def _file() -> Path:
    from outrider.agent.settings.config import data_folder

    return data_folder() / "model-findings.json"


def _read(file: Path) -> list[dict[str, Any]]:
    try:
        if file.stat().st_size > MOST_BYTES:
            return []
        read = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return []
    return [one for one in read if isinstance(one, dict)] if isinstance(read, list) else []
