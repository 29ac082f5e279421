"""The parent's side of llama_worker.py: one child process per model, one request at a time, a clean error if it dies.

What it is: start, ask, stop. A child that ends in the middle of a request is started once more and asked again; if it
ends again, that is a ModelFailure. What it may touch: the one process it starts, which gets no secrets: an almost empty
environment. What it does not promise: that a request is fair to others; requests wait for each other.
Start reading at `LlamaProcess.ask`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from outrider.agent.models.model import ModelFailure, Usage
from outrider.memory.errors import ModelUnavailable

KEPT = (
    "PATH",
    "HOME",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "SYSTEMROOT",
    "TMPDIR",
    "LANG",
)
GRACE_S = 1.0  # how long after its time limit a child may still answer before it is killed
LOAD_S = 120.0  # a model of several GB from a slow disk
_LINE_BYTES = 1 << 24
OnText = Callable[[str], bool | None]


class _Died(Exception):
    """The child ended; the exit status says how."""

    def __init__(self, status: int | None) -> None:
        super().__init__(f"exit status {status}")


class LlamaProcess:
    """A GGUF in a child process. Use it from one event loop."""

    def __init__(self, path: Path, *, context: int, threads: int, adapter: Path | None = None) -> None:
        self.path, self.context, self.threads, self.adapter = path, context, threads, adapter
        self.about: dict[str, Any] = {}
        self.starts = 0
        self._child: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()
        self._number = 0

    async def ask(self, do: str, *, timeout_s: float, on_text: OnText | None = None, **body: Any) -> dict[str, Any]:
        """One request. on_text(piece) may say True: enough; then the answer is what there is, with finish "enough".

        Raises ModelFailure (out of time, refused, died twice), ModelUnavailable (cannot be loaded).
        """
        until = time.monotonic() + timeout_s
        try:
            await asyncio.wait_for(self._lock.acquire(), timeout_s)  # another run's request may be under way
        except TimeoutError as error:
            raise _out_of_time(self.path.name, timeout_s) from error
        try:
            return await self._ask_twice(do, body, until, on_text)
        finally:
            self._lock.release()

    async def _ask_twice(self, do: str, body: dict[str, Any], until: float, on_text: OnText | None) -> dict[str, Any]:
        for last in (False, True):
            try:
                await self._start()
                return await self._exchange(do, body, max(0.01, until - time.monotonic()), on_text)
            except _Died as died:
                await self._stop()
                if last:
                    raise ModelFailure(
                        f"the process that holds {self.path.name} ended twice",
                        str(died),
                        "use another model; this file or this request makes llama.cpp crash",
                    ) from died
        raise AssertionError("the loop returns or raises")

    async def start(self) -> dict[str, Any]:
        """Start the child and load the model; returns what the file says of itself."""
        async with self._lock:
            try:
                await self._start()
            except _Died as died:
                await self._stop()
                raise ModelUnavailable(
                    f"{self.path.name} cannot be loaded",
                    f"llama.cpp ended: {died}",
                    "the file may be damaged: pull it again, or use another model",
                ) from died
        return self.about

    async def aclose(self) -> None:
        """End the child. May be called twice, and while a request is under way."""
        await self._stop()

    async def _start(self) -> None:
        if self._child is not None and self._child.returncode is None and self.about:
            return
        await self._stop()  # one that ended, or was given up while it loaded
        environment = {key: os.environ[key] for key in KEPT if key in os.environ} | {"OMP_WAIT_POLICY": "PASSIVE"}
        # The file, not the module: it needs nothing of ours. -P: this folder must not shadow the libraries it imports.
        self._child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            str(Path(__file__).with_name("worker.py")),
            env=environment,
            limit=_LINE_BYTES,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        self.starts += 1
        told = {"path": str(self.path), "context": self.context, "threads": self.threads}
        if self.adapter is not None:
            told["lora"] = str(self.adapter)
        self.about = await self._exchange("load", told, LOAD_S, None)

    async def _exchange(
        self, do: str, body: dict[str, Any], timeout_s: float, on_text: OnText | None
    ) -> dict[str, Any]:
        self._number += 1
        await self._send({"id": self._number, "do": do, "timeout_s": timeout_s, **body})
        try:
            answer = await asyncio.wait_for(self._answer(self._number, on_text), timeout_s + GRACE_S)
        except TimeoutError as error:
            await self._stop()
            late = _out_of_time(self.path.name, timeout_s)
            late.billed = do == "complete"  # it was killed, so nobody knows how much it had written
            raise late from error
        except asyncio.CancelledError:
            with contextlib.suppress(_Died):
                await self._send({"do": "abort"})  # it answers at once; that answer is skipped by its number
            raise
        return self._checked(answer, timeout_s)

    async def _send(self, message: dict[str, Any]) -> None:
        child = self._child
        if child is None or child.stdin is None:
            raise _Died(None)
        try:
            child.stdin.write(json.dumps(message).encode() + b"\n")
            await child.stdin.drain()
        except (BrokenPipeError, ConnectionError) as error:
            raise _Died(await child.wait()) from error

    async def _answer(self, number: int, on_text: OnText | None) -> dict[str, Any]:
        child = self._child
        if child is None or child.stdout is None:
            raise _Died(None)
        enough = False
        while True:
            line = await child.stdout.readline()
            if not line:
                raise _Died(await child.wait())
            message: dict[str, Any] = json.loads(line)
            if message["id"] != number:
                continue  # of a request that was given up
            if "text" in message:
                if on_text and not enough and on_text(message["text"]):
                    enough = True
                    await self._send({"do": "abort"})
                continue
            if enough and message.get("refused") == "stopped":
                return {"done": {"finish": "enough", "tokens": message["tokens"], "made": message["made"]}}
            return message

    def _checked(self, answer: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        if "done" in answer:
            done: dict[str, Any] = answer["done"]
            return done
        kind, why = answer["refused"], str(answer["why"])[:500]
        if kind == "load":
            raise ModelUnavailable(
                f"{self.path} cannot be loaded", why, "check that it is a whole GGUF file; pull it again if not"
            )
        if kind == "stopped":
            raise _out_of_time(self.path.name, timeout_s, answer)
        if kind == "long":
            from outrider.agent.models.model import ContextOverflow

            raise ContextOverflow(
                f"the request is longer than {self.path.name} takes",
                why,
                "give it a larger window with --max-context, or use another model",
                context=int(self.about.get("context", 0)) or None,
            )
        if "No module named" in why:
            raise ModelUnavailable("llama.cpp is not installed", why, "install it: pip install 'outrider[local]'")
        raise ModelFailure(f"{self.path.name} could not do it", why, "use another model, and please report this")

    async def _stop(self) -> None:
        child, self._child, self.about = self._child, None, {}
        if child is None:
            return
        if child.stdin:
            child.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()


def _out_of_time(name: str, timeout_s: float, answer: dict[str, Any] | None = None) -> ModelFailure:
    """answer: what the child said when it was stopped; how much it had read and written by then is spent."""
    counted = answer is not None and "tokens" in answer
    usage = Usage(input_tokens=answer["tokens"], output_tokens=answer["made"]) if answer and counted else None
    return ModelFailure(
        f"{name} did not finish in time",
        f"it had {timeout_s:.1f} s",
        "give the run more seconds, or use a smaller model",
        retryable=True,
        usage=usage,
    )
