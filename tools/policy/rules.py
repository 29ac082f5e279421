"""One rule of a policy: what it is about, and allow, ask or deny. Touches nothing; the first rule that fits decides.
Does not promise: to see through a tool that says it only reads and does more; effects are the author's word.

As TOML:  [[policy.rules]]  decision = "allow"  tool = "http_request"  host = ["api.example.org"]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, get_args

from outrider.memory.errors import UsageError
from outrider.memory.events import Decision, Effect
from outrider.tools.policy.reach import Reach, host_fits

EFFECTS: tuple[Effect, ...] = get_args(Effect)
PARTS = ("tool", "effect", "host", "path", "secret")


@dataclass(frozen=True, slots=True)
class Rule:
    """What must fit for the rule to decide; an empty part fits everything. Several words in a part: any of them.

    tool, path: shell patterns ("reports/*"). host: "host", "host:port", "*.host". usd_over: dollars the run has spent.
    For "allow" every host, path and secret of the call must fit; for "ask" and "deny" one is enough.
    """

    decision: Decision
    tool: tuple[str, ...] = ()
    effect: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()
    usd_over: float | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Rule:
        """From a table of settings. Raises UsageError for a word that means nothing."""
        if not isinstance(settings, Mapping):
            raise UsageError(
                "a rule of the policy is not a table", repr(settings)[:200], "write [[policy.rules]] above it"
            )
        if unknown := set(settings) - {"decision", "usd_over", *PARTS}:
            known = ", ".join(("decision", *PARTS, "usd_over"))
            raise UsageError(
                f"a rule of the policy names {', '.join(map(repr, sorted(unknown)))}",
                "it has no such part",
                f"it has {known}",
            )
        parts = {name: _words(settings.get(name, ()), name) for name in PARTS}
        if strange := [word for word in parts["effect"] if word not in EFFECTS]:
            raise UsageError(
                f"the policy names the effect {strange[0]!r}", "there is none", f"effects are {', '.join(EFFECTS)}"
            )
        over = settings.get("usd_over")
        if over is not None and (isinstance(over, bool) or not isinstance(over, int | float)):
            raise UsageError(f"usd_over is {over!r}", "it is a number of dollars", "write for example usd_over = 0.5")
        return cls(decision_of("a rule", settings.get("decision")), usd_over=over, **parts)

    def fits(self, reach: Reach, spent_usd: float = 0.0) -> bool:
        """Whether the rule decides about a call."""
        if self.tool and not any(fnmatchcase(reach.tool, word) for word in self.tool):
            return False
        if self.effect and reach.effect not in self.effect:
            return False
        if self.usd_over is not None and spent_usd <= self.usd_over:
            return False
        return (
            self._all_or_one(self.host, reach.hosts, host_fits)
            and self._all_or_one(self.path, reach.paths, lambda path, word: fnmatchcase(_plain(path), word))
            and self._all_or_one(self.secret, reach.secrets, fnmatchcase)
        )

    def _all_or_one(self, words: tuple[str, ...], touched: tuple[str, ...], fit: Any) -> bool:
        if not words:
            return True
        enough = all if self.decision == "allow" else any
        return bool(touched) and enough(any(fit(one, word) for word in words) for one in touched)

    def as_json(self) -> dict[str, Any]:
        """What `of` reads back."""
        parts = {name: list(value) for name in PARTS if (value := getattr(self, name))}
        return {
            "decision": self.decision,
            **parts,
            **({"usd_over": self.usd_over} if self.usd_over is not None else {}),
        }

    def __str__(self) -> str:
        parts = [f"{name} {' or '.join(value)}" for name in PARTS if (value := getattr(self, name))]
        parts += [f"over ${self.usd_over:g} spent"] if self.usd_over is not None else []
        return f"{self.decision} {', '.join(parts) or 'everything'}"


def holding(reach: Reach) -> Rule:
    """The rule that "for this run" or "always" stands for: this tool and effect, at these hosts, for these paths; no wider."""
    return Rule(
        "allow", (_literal(reach.tool),), (reach.effect,), reach.hosts, tuple(map(_literal, reach.paths)), reach.secrets
    )


def _literal(text: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in text)


def _plain(path: str) -> str:
    return path.removeprefix("/workspace/").removeprefix("./")


def _words(value: Any, name: str) -> tuple[str, ...]:
    words = (value,) if isinstance(value, str) else value
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        raise UsageError(
            f"{name} of a rule is {value!r}", "it is a text or a list of texts", f'write for example {name} = "…"'
        )
    return tuple(words)


def decision_of(name: object, value: object) -> Decision:
    """A decision as it is written. Raises UsageError."""
    if value in get_args(Decision):
        return value  # type: ignore[return-value]
    raise UsageError(f"the policy for {name} is {value!r}", "a decision is allow, ask or deny", "write one of them")
