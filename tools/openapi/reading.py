"""Reads an OpenAPI 3.0, 3.1 or Swagger 2 document and follows its local references.
May touch: nothing; the text is handed to it. No reference to another file or to the network is followed.
Does not promise: to check the document; what cannot be understood is reported operation by operation (operations.py).
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from outrider.memory.errors import UsageError

MAX_TEXT = 30_000_000  # characters
MAX_DEPTH = 8  # nested schemas that a model is shown; below it anything goes
MAX_NODES = 3000  # of one operation's schema
_SCHEMA_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_KEPT = (
    "type", "format", "enum", "const", "default", "description", "required", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties",
)  # fmt: skip


class Unusable(Exception):
    """An operation that cannot become a tool. `str()` says why."""


def read_document(text: str, name: str) -> dict[str, Any]:
    """The document, JSON or YAML. Raises UsageError for what is no OpenAPI 3 or Swagger 2."""
    if len(text) > MAX_TEXT:
        raise UsageError(f"{name} is too large", f"over {MAX_TEXT:,} characters", "use a part of it")
    document = _parsed(text, name)
    version = str(document.get("openapi") or document.get("swagger") or "") if isinstance(document, dict) else ""
    if not version.startswith(("3.", "2.")) or not isinstance(document.get("paths", {}), dict):
        why = f"it says version {version!r}" if version else "it has no `openapi` or `swagger` line"
        raise UsageError(f"{name} is no OpenAPI file", why, "give an OpenAPI 3.0 or 3.1 or a Swagger 2 file")
    return document  # type: ignore[no-any-return]


def _parsed(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        pass
    except RecursionError:
        raise UsageError(f"{name} cannot be read", "it is nested too deep", "use another file") from None
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    plain: Any = type("Plain", (loader,), {})  # dates stay text, as JSON has them
    plain.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
        for first, found in loader.yaml_implicit_resolvers.items()
    }
    try:
        return yaml.load(text, Loader=plain)  # noqa: S506  # a safe loader
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        why = " ".join(str(error).split())[:300]
        raise UsageError(f"{name} is neither JSON nor YAML", why, "check the file") from None


def follow(document: dict[str, Any], node: Any) -> Any:
    """What a node is after its local references. Raises Unusable for one that leads elsewhere, nowhere or in a circle."""
    seen: set[str] = set()
    while isinstance(node, dict) and isinstance(node.get("$ref"), str):
        reference = node["$ref"]
        if reference in seen:
            raise Unusable(f"{reference} refers to itself")
        seen.add(reference)
        node = _at(document, reference)
    return node


def _at(document: dict[str, Any], reference: str) -> Any:
    if not reference.startswith("#"):
        raise Unusable(f"{reference[:200]} is in another file, and no other file is read")
    here: Any = document
    for part in reference[1:].strip("/").split("/") if reference[1:].strip("/") else []:
        key = unquote(part).replace("~1", "/").replace("~0", "~")
        if isinstance(here, dict) and key in here:
            here = here[key]
        elif isinstance(here, list) and key.isdigit() and int(key) < len(here):
            here = here[int(key)]
        else:
            raise Unusable(f"{reference[:200]} refers to nothing")
    return here


class Schemas:
    """Schemas of one operation as a model is shown them: references written out, circles and great depth cut to "anything"."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document, self._left = document, MAX_NODES
        self.cut = False

    def plain(self, node: Any, depth: int = 0, inside: tuple[int, ...] = ()) -> dict[str, Any]:
        """The JSON Schema of a node. Never raises for a bad schema below the top: what is not understood is anything."""
        try:
            node = follow(self._document, node)
        except Unusable:
            if depth == 0:
                raise
            self.cut = True
            return {}
        if not isinstance(node, dict):
            return {}
        self._left -= 1
        if depth > MAX_DEPTH or id(node) in inside or self._left < 0:
            self.cut = True
            kind = node.get("type")
            return {"type": kind} if kind in ("object", "array", "string") else {}
        return self._copied(node, depth, (*inside, id(node)))

    def _copied(self, node: dict[str, Any], depth: int, inside: tuple[int, ...]) -> dict[str, Any]:
        out = {key: node[key] for key in _KEPT if key in node}
        if isinstance(out.get("description"), str):
            out["description"] = " ".join(out["description"].split())[:200]
        if not isinstance(out.get("required", []), list):  # Swagger 2 authors write `required: true` on a property
            out.pop("required")
        if isinstance(node.get("properties"), dict):
            shown = {name: one for name, one in node["properties"].items() if not self._read_only(one)}
            out["properties"] = {str(name): self.plain(one, depth + 1, inside) for name, one in shown.items()}
        for key in _SCHEMA_LISTS:
            if isinstance(node.get(key), list):
                out[key] = [self.plain(one, depth + 1, inside) for one in node[key]]
        for key in ("items", "additionalProperties"):
            if isinstance(node.get(key), dict):
                out[key] = self.plain(node[key], depth + 1, inside)
            elif isinstance(node.get(key), bool) and key == "additionalProperties":
                out[key] = node[key]
        return _tidied(out, node)

    def _read_only(self, node: Any) -> bool:
        try:
            node = follow(self._document, node)
        except Unusable:
            return False
        return isinstance(node, dict) and node.get("readOnly") is True


def _tidied(out: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI 3.0's and authors' habits as JSON Schema: nullable, boolean bounds, `file`, types that are none."""
    for bound, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(out.get(bound), bool):
            strict = out.pop(bound)
            if strict and limit in out:
                out[bound] = out.pop(limit)
    known = ("string", "number", "integer", "boolean", "object", "array", "null")
    kinds = out.get("type")
    if kinds == "file":
        out["type"] = "string"
    elif isinstance(kinds, str) and kinds not in known:
        out.pop("type")
    elif isinstance(kinds, list):
        out["type"] = [kind for kind in kinds if kind in known] or list(known)
    if node.get("nullable") is True and isinstance(out.get("type"), str):
        out["type"] = [out["type"], "null"]
        if isinstance(out.get("enum"), list) and None not in out["enum"]:
            out["enum"] = [*out["enum"], None]
    if "properties" in out and isinstance(out.get("required"), list):
        out["required"] = [name for name in out["required"] if name in out["properties"]]
    for key in ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"):
        if key in out and (isinstance(out[key], bool) or not isinstance(out[key], int) or out[key] < 0):
            out.pop(key)
    for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"):
        if key in out and (isinstance(out[key], bool) or not isinstance(out[key], int | float)):
            out.pop(key)
    if "enum" in out and not (isinstance(out["enum"], list) and out["enum"]):
        out.pop("enum")
    return out
