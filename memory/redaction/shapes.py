"""Text that has the shape of a key, whoever's it is: `sk-…`, `ghp_…`, `AKIA…`, a JWT, a PEM block, `Bearer …`, `user:pass@`.
Touches nothing. Does not promise: to know every kind of key, nor that what it masks was one; a mask is never the wall.

Each shape has a few fixed letters that are looked for first: a text without them costs a substring search and no more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of key: what to call it, letters every one of them holds, and how it looks. `keep`: groups that stay."""

    name: str
    signs: tuple[str, ...]
    pattern: str
    keep: tuple[int, ...] = ()


def _shape(name: str, signs: str, pattern: str, keep: tuple[int, ...] = ()) -> Shape:
    return Shape(name, tuple(signs.split()), pattern, keep)


_END = r"(?![A-Za-z0-9_-])"
_BEGIN = r"(?<![A-Za-z0-9_])"
SHAPES = (
    _shape(
        "private key",
        "-----BEGIN",
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]{0,20000}?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    ),
    _shape("sk key", "sk- sk_ rk_", _BEGIN + r"(?:sk|rk)[-_](?=[A-Za-z_-]*[0-9A-Z])[A-Za-z0-9_-]{16,250}" + _END),
    _shape("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_", _BEGIN + r"(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255})" + _END),
    _shape("GitLab token", "glpat-", _BEGIN + r"glpat-[A-Za-z0-9_-]{16,100}" + _END),
    _shape("AWS key", "AKIA ASIA", _BEGIN + r"A[KS]IA[A-Z0-9]{12,28}" + _END),
    _shape("AWS secret", "ecret_ ecretA ECRET_", r"(?i)(aws_?secret_?(?:access_?)?key[\"']?\s{0,3}[:=]\s{0,3}[\"']?)[A-Za-z0-9/+=]{30,60}", (1,)),
    _shape("Slack token", "xox xapp-", _BEGIN + r"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,250}" + _END),
    _shape("Hugging Face token", "hf_", _BEGIN + r"hf_[A-Za-z0-9]{16,100}" + _END),
    _shape("Google key", "AIza ya29.", _BEGIN + r"(?:AIza[A-Za-z0-9_-]{30,60}|ya29\.[A-Za-z0-9_-]{20,250})" + _END),
    _shape("npm token", "npm_ pypi-", _BEGIN + r"(?:npm_[A-Za-z0-9]{30,60}|pypi-[A-Za-z0-9_-]{40,250})" + _END),
    _shape("JWT", "eyJ", _BEGIN + r"eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,8000}(?:\.[A-Za-z0-9_-]{8,4000})?" + _END),
    _shape(
        "token",
        "earer EARER uthorization UTHORIZATION",
        r"(?i)\b((?:bearer|authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?basic)\s{1,3})(?=[A-Za-z._~+/-]*[0-9A-Z])[A-Za-z0-9._~+/-]{12,4000}=*",
        (1,),
    ),
    _shape("password", "://", r"(://[^\s/:@\"'<>{}]{0,100}:)(?![{\[])[^\s/@\"'<>]{1,200}(?=@)", (1,)),
)  # fmt: skip


SIGNS = tuple(sign for shape in SHAPES for sign in shape.signs)


def may_have_shape(text: str) -> bool:
    """Whether a text has letters that every key of some kind holds: without them `mask_shapes` finds nothing."""
    for sign in SIGNS:  # noqa: SIM110  (a generator would double what this costs, and it is done for every text)
        if sign in text:
            return True
    return False


def mask_shapes(text: str) -> str:
    """`text` with everything that looks like a key replaced by `[hidden: kind]`; the same object if there is nothing."""
    if not may_have_shape(text):
        return text
    for shape in SHAPES:
        if any(sign in text for sign in shape.signs):
            text = _compiled(shape.pattern).sub(lambda found, shape=shape: _mask(found, shape), text)  # type: ignore[misc]
    return text


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compiled when a text first has its signs: most processes never need most of them."""
    return re.compile(pattern)


def _mask(found: re.Match[str], shape: Shape) -> str:
    kept = "".join(found[group] for group in shape.keep)
    return f"{kept}[hidden: {shape.name}]"
