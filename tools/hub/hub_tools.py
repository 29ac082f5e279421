"""The model hub: `hub_search` finds models by task, licence and size, `hub_model` tells about one.
May touch: a child process that asks the hub (HF_ENDPOINT, or `endpoint` in the settings) with the person's own token.
Does not promise: sizes and licences the hub does not state; they are shown as unknown.
"""

from __future__ import annotations

import json
import os
import re
import time
from typing import Any

from outrider.memory.text import for_storage
from outrider.tools.net.pace import net_of, pace
from outrider.tools.process.deadlines import in_child
from outrider.tools.tool import ToolContext, ToolError, tool

HUB_S = 20.0
_SCALE = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}
_LICENCES = {
    "apache": "apache-2.0",
    "apache2": "apache-2.0",
    "apache-2": "apache-2.0",
    "bsd": "bsd-3-clause",
    "gpl": "gpl-3.0",
}


@tool(effect="read", origin="untrusted", timeout_s=40)
async def hub_search(
    ctx: ToolContext, task: str = "", query: str = "", licence: str = "", max_parameters: str = "", limit: int = 5
) -> str:
    """Search the model hub for models by task, words in the name, licence and size; the most downloaded first.

    task: such as "text-classification" or "text-generation"
    query: words in the model's name
    licence: such as "apache-2.0" or "mit"
    max_parameters: the largest size, such as "500M" or "2B"
    limit: how many models, 1 to 20
    """
    most = parameters(max_parameters) if max_parameters.strip() else 0
    asked = {
        "do": "search",
        "task": re.sub(r"[\s_]+", "-", task.strip().lower()),
        "query": " ".join(query.split()),
        "licence": _licence(licence),
        "most": most,
        "limit": max(1, min(limit, 20)),
    }
    rows = await _ask(asked, ctx)
    fitting = [row for row in rows if not most or (row["parameters"] or 0) <= most]
    if not fitting:
        return f"no model matches {_wish(asked, max_parameters)}"
    return "\n".join(f"{number}. {_line(row)}" for number, row in enumerate(fitting, start=1))


@tool(effect="read", origin="untrusted", timeout_s=40)
async def hub_model(model: str, ctx: ToolContext) -> str:
    """Tell about one model of the hub: task, licence, parameters, downloads, likes, gated, library, last change.

    model: its id, "owner/name"
    """
    name = re.sub(r"^(?:https?://)?(?:huggingface\.co|hf\.co)/", "", model.strip()).strip("/")
    if not re.fullmatch(r"[\w.-]{1,96}(?:/[\w.-]{1,96})?", name):
        raise ToolError(f"{model[:100]!r} is not the id of a model", "an id is owner/name", "find one with hub_search")
    row = (await _ask({"do": "model", "model": name}, ctx))[0]
    size = row["parameters"]
    lines = {
        "model": row["id"],
        "task": row["task"] or "unknown",
        "licence": _licence_of(row),
        "parameters": f"{size:,} ({short_size(size)})" if size else "unknown",
        "downloads": row["downloads"] if row["downloads"] is not None else "unknown",
        "likes": row["likes"] if row["likes"] is not None else "unknown",
        "gated": _gated(row),
        "library": row["library"] or "unknown",
        "formats": ", ".join(row["formats"]) or "unknown",
        "last modified": row["modified"] or "unknown",
    }
    return _clean("\n".join(f"{key}: {value}" for key, value in lines.items()))


def parameters(text: str) -> int:
    """How many parameters "500M", "2B" or "1.5 billion" are. Raises ToolError for anything else."""
    found = re.fullmatch(
        r"<?=?\s*(\d+(?:\.\d+)?)\s*([kmbt]?)(?:illion|rillion)?\s*(?:parameters)?", text.strip().lower()
    )
    if not found or not float(found[1]):
        raise ToolError(
            f"{text[:40]!r} is not a size", "it is not a number of parameters", 'write for example "500M" or "2B"'
        )
    return int(float(found[1]) * _SCALE[found[2]])


def short_size(size: int) -> str:
    """66955010 → "67M": three digits at most."""
    for letter, scale in (("T", 10**12), ("B", 10**9), ("M", 10**6), ("K", 10**3)):
        if size >= scale * 0.9995:
            amount = size / scale
            return f"{amount:.0f}{letter}" if amount >= 9.95 else f"{amount:.1f}".removesuffix(".0") + letter
    return str(size)


def _licence(text: str) -> str:
    name = re.sub(r"[\s_]+", "-", text.strip().lower())
    name = re.sub(r"-?(?:licence|license)$", "", name)
    return _LICENCES.get(name, name)


def _wish(asked: dict[str, Any], size: str) -> str:
    parts = [f"task {asked['task']}" if asked["task"] else "", repr(asked["query"]) if asked["query"] else ""]
    parts += [f"licence {asked['licence']}" if asked["licence"] else "", f"at most {size} parameters" if size else ""]
    return ", ".join(part for part in parts if part) or "that"


def _line(row: dict[str, Any]) -> str:
    size = f"{short_size(row['parameters'])} parameters" if row["parameters"] else "size unknown"
    facts = [_licence_of(row), size, row["task"] or "task unknown", f"{row['downloads'] or 0} downloads"]
    facts += [
        f"{row['likes'] or 0} likes",
        "gated" if row["gated"] else "not gated",
        row["library"] or "library unknown",
    ]
    facts += [f"updated {row['modified']}"] if row["modified"] else []
    return _clean(f"{row['id']} ({', '.join(facts)})")


def _licence_of(row: dict[str, Any]) -> str:
    licence = str(row["licence"] or "unknown")
    return f"other: {row['licence_name']}" if licence == "other" and row["licence_name"] else licence


def _gated(row: dict[str, Any]) -> str:
    return {"auto": "yes (anyone who agrees to its terms)", "manual": "yes (its owner decides who)"}.get(
        row["gated"], "yes" if row["gated"] else "no"
    )


def _clean(text: str) -> str:
    return for_storage(text)[:4000]


async def _ask(asked: dict[str, Any], ctx: ToolContext) -> list[dict[str, Any]]:
    """The child's rows. Raises ToolError that says what kept it."""
    ctx.progress("asking the model hub")
    own = ctx.settings.get("hub")
    own = own if isinstance(own, dict) else {}
    asked["endpoint"] = str(own.get("endpoint") or os.environ.get("HF_ENDPOINT") or "").rstrip("/")
    asked["seconds"] = seconds = max(1.0, min(HUB_S, ctx.seconds_left() - 1))
    quiet = {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_XET": "1"}
    ends = time.monotonic() + seconds
    async with pace().turn(asked["endpoint"] or "the hub", net_of(ctx.settings), ends):
        done = await in_child(
            "outrider.tools.hub.hub_process",
            stdin=json.dumps(asked).encode(),
            seconds=ends - time.monotonic(),
            environment={**os.environ, **quiet},
        )
    try:
        answer = json.loads(done.output)
    except ValueError:
        answer = {"error": "late" if done.timed_out else "failed", "detail": done.errors.strip()[-200:]}
    if "error" in answer:
        raise _failure(answer["error"], answer["detail"], asked)
    rows: list[dict[str, Any]] = answer["rows"]
    return rows


def _failure(kind: str, detail: str, asked: dict[str, Any]) -> ToolError:
    name = asked.get("model", "the model hub")
    known = {
        "missing": (f"there is no model {name!r} on the hub", "no public model has that id", "find one with hub_search"),
        "gated": (f"{name} is gated", "its owner must let you in first", "use another model, or accept its terms on the hub"),
        "no id": (f"{name!r} is not the id of a model", "an id is owner/name", "find one with hub_search"),
        "busy": ("the hub was asked too often", "it answered with status 429", "wait a minute, or set HF_TOKEN"),
        "refused": ("the hub refused", "the token is wrong or may not do this", "check HF_TOKEN, or unset it"),
        "offline": ("the hub cannot be reached", "there is no network or its address is wrong", "go on without it, or try later"),
        "offline mode": ("the hub is not asked", "HF_HUB_OFFLINE is set", "unset it to look models up"),
        "late": ("the hub did not answer in time", f"the limit is {asked['seconds']:.0f} s", "try later"),
    }  # fmt: skip
    what, why, fix = known.get(kind, ("the hub could not answer", f"{kind}: {_clean(detail)[:300]}", "try later"))
    return ToolError(what, why, fix)
