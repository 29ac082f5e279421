"""The private names of libraries that we reach into: when one moves, this fails, not a search in somebody's run."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from outrider.tools.web.engines import EngineClient


def test_ddgs_still_has_what_the_watch_replaces() -> None:
    """tools/web/search.py overrides `DDGS._get_engines`, wraps `search` and replaces `http_client` of each engine."""
    from ddgs.base import BaseSearchEngine
    from ddgs.ddgs import DDGS
    from ddgs.engines import ENGINES
    from ddgs.http_client import HttpClient

    assert list(inspect.signature(DDGS._get_engines).parameters) == ["self", "category", "backend"]
    replaced = {name for name in vars(HttpClient) if not name.startswith("_")}
    assert replaced <= set(dir(EngineClient)), "an engine may call what our client does not have"
    assert inspect.getsource(HttpClient.__init__).count("primp.Client(") == 1, "it connects elsewhere, too"
    source = "".join(path.read_text() for path in Path(inspect.getfile(HttpClient)).parent.glob("engines/*.py"))
    assert set(re.findall(r"http_client\.(?:client\.)?(\w+)\(", source)) <= {"request", "get", "post", "set_cookies"}
    assert not re.search(r"\b(?:primp|requests|httpx|urllib\.request|socket)\b", source), (
        "an engine with a client of its own"
    )
    engine = next(iter(ENGINES["text"].values()))()
    assert isinstance(engine, BaseSearchEngine)
    assert callable(engine.search)
    assert isinstance(engine.http_client, HttpClient)
    assert isinstance(engine.name, str)
    engines = DDGS()._get_engines("text", "auto")
    assert len(engines) > 1
    assert all(isinstance(one, BaseSearchEngine) for one in engines)


def test_huggingface_hub_still_lists_through_what_we_replace(monkeypatch: pytest.MonkeyPatch) -> None:
    """tools/hub/hub_process.py replaces `http_backoff` of `utils._pagination`, which `list_models` must go through."""
    from huggingface_hub import HfApi
    from huggingface_hub.utils import _pagination

    assert "max_retries" in inspect.signature(_pagination.http_backoff).parameters
    asked: list[str] = []

    def stop(method: str, url: str, **options: object) -> None:
        asked.append(url)
        raise LookupError("asked")

    monkeypatch.setattr(_pagination, "http_backoff", stop)
    with pytest.raises(LookupError):
        next(iter(HfApi(endpoint="http://127.0.0.1:9").list_models(limit=1)))
    assert asked == ["http://127.0.0.1:9/api/models"]
