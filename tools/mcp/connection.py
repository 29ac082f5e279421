"""Holds MCP servers open: one thread with an event loop of its own, each server a task there, used from any loop.
May touch: the programs and addresses the person named; a stdio server gets PATH, HOME, LANG and what its entry says.
Does not promise: state across a restart. A server that died is started once more for a call; twice in a row is an error.

The protocol's client must be opened and closed in one task, hence a task a server; its exceptions may be groups.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import tempfile
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from typing import IO, Any, TypeVar

from outrider.memory.text import for_terminal
from outrider.tools.mcp.servers import ServerSpec
from outrider.tools.tool import ToolError

T = TypeVar("T")
START_S = 20.0
MOST_TOOLS = 2_000
MOST_PAGES = 50
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER", "SYSTEMROOT")


class Connection:
    """One server, started when it is first asked. Safe to use from any thread."""

    def __init__(self, spec: ServerSpec) -> None:
        self.spec = spec
        self._loop = _loop()
        self._lock = asyncio.Lock()
        self._client: Any = None
        self._task: asyncio.Task[None] | None = None
        self._stop: asyncio.Event | None = None
        self._noise: IO[str] | None = None
        self._words = ""  # the end of what it printed, once it is gone
        self.known: dict[str, Any] = {}  # tools by name, as this start of the server described them

    def begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start work on the servers' loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def result(self, future: Future[T], seconds: float) -> T:
        """What came of it. Raises ToolError when it takes longer."""
        try:
            return future.result(seconds)
        except Late:
            future.cancel()
            raise self._late(seconds) from None

    def now(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """The result of work on the servers' loop. Raises ToolError when it takes longer."""
        return self.result(self.begin(work), seconds)

    async def wait(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """The same for a caller on a loop of its own."""
        future = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))
        try:
            return await asyncio.wait_for(future, seconds)
        except TimeoutError:
            raise self._late(seconds) from None

    async def ready(self) -> None:
        """Start the server if it is not there. Raises ToolError."""
        await self._open()

    async def list_tools(self) -> list[Any]:
        """Every tool the server has, page by page. On the servers' loop. Raises ToolError."""
        found = await self._pages("list_tools", "tools")
        self.known.update((str(one.name), one) for one in found)
        return found

    async def list_resources(self) -> list[Any]:
        """Its resources, [] for a server without."""
        return await self._pages("list_resources", "resources", optional=True)

    async def list_prompts(self) -> list[Any]:
        """Its prompts, [] for a server without."""
        return await self._pages("list_prompts", "prompts", optional=True)

    async def ask(self, method: str, *arguments: Any, again: bool = True, **more: Any) -> Any:
        """One request; a server that is not there is started. again: whether the request may be repeated when the server
        dies under it (once); what may have had an effect is not. Raises ToolError.
        """
        for last in (not again, True):
            client = await self._open()
            try:
                return await getattr(client, method)(*arguments, **more)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                gone = self._is_gone(error)
                if gone:
                    await self._shut()
                if gone and not again:
                    raise self._died() from None
                if last or not gone:
                    raise self._failed(error) from None
        raise AssertionError("two attempts return or raise")

    async def close(self) -> None:
        """End the server."""
        await self._shut()

    async def _pages(self, method: str, field: str, *, optional: bool = False) -> list[Any]:
        found: list[Any] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            try:
                page = await (self.ask(method, cursor=cursor) if cursor else self.ask(method))
            except ToolError:
                if optional:
                    return []
                raise
            found += getattr(page, field)
            cursor = getattr(page, "next_cursor", None)
            if not cursor or len(found) >= MOST_TOOLS:
                break
        return found[:MOST_TOOLS]

    async def _open(self) -> Any:
        async with self._lock:
            if self._client is not None and self._task is not None and not self._task.done():
                return self._client
            self.known.clear()
            ready: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self._stop = asyncio.Event()
            self._task = asyncio.create_task(self._live(ready, self._stop))
            try:
                self._client = await asyncio.wait_for(ready, START_S)
            except TimeoutError:
                self._task.cancel()
                raise self._failed(TimeoutError(f"it did not start within {START_S:.0f} s")) from None
            except Exception as error:
                raise self._failed(error) from None
            return self._client

    async def _live(self, ready: asyncio.Future[Any], stop: asyncio.Event) -> None:
        """The server's life, in one task: opened, kept until told to stop, closed."""
        from mcp import Client

        try:
            async with contextlib.AsyncExitStack() as stack:
                transport = await self._transport(stack)
                stack.callback(self._keep_words)  # before what it printed is closed
                client = await stack.enter_async_context(Client(transport, mode="auto", message_handler=self._heard))
                ready.set_result(client)
                await stop.wait()
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error if isinstance(error, Exception) else ConnectionError(type(error).__name__))
            if isinstance(error, asyncio.CancelledError):
                raise

    async def _heard(self, message: Any) -> None:
        """What a server says by itself. That its tools changed makes us ask for them again before the next call."""
        if "list_changed" in str(getattr(message, "method", "")):
            self.known.clear()

    async def _transport(self, stack: contextlib.AsyncExitStack) -> Any:
        if self.spec.url:
            from mcp.client.streamable_http import streamable_http_client

            from outrider.tools.mcp.http import checked_client

            client = await stack.enter_async_context(checked_client(self.spec))
            return streamable_http_client(self.spec.url, http_client=client)
        from mcp import StdioServerParameters
        from mcp.client.stdio import stdio_client

        env = {name: os.environ[name] for name in KEPT if name in os.environ} | self.spec.env
        noise = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115  (the stack closes it)
        self._noise = stack.enter_context(noise)
        parameters = StdioServerParameters(
            command=self.spec.command, args=list(self.spec.args), env=env, cwd=self.spec.cwd
        )
        return stdio_client(parameters, errlog=noise)

    async def _shut(self) -> None:
        task, stop, self._task, self._client = self._task, self._stop, None, None
        self.known.clear()
        if task is None or stop is None:
            return
        stop.set()
        done, _ = await asyncio.wait({task}, timeout=5)
        if not done:
            task.cancel()
        with contextlib.suppress(BaseException):
            await task

    def _is_gone(self, error: Exception) -> bool:
        """Whether the connection, and not the request, failed."""
        words = str(error).lower()
        return self._task is None or self._task.done() or "connection closed" in words or "not connected" in words

    def _failed(self, error: BaseException) -> ToolError:
        while isinstance(error, BaseExceptionGroup) and error.exceptions:
            error = error.exceptions[0]
        said = for_terminal(str(error) or type(error).__name__)[:300]
        noise = self._said()
        why = f"{said}; it printed: {noise}" if noise else said
        what = self.spec.command or self.spec.url
        return ToolError(f"the MCP server {self.spec.name!r} failed", why, f"check that `{what}` works by itself")

    def _died(self) -> ToolError:
        noise = self._said()
        return ToolError(
            f"the MCP server {self.spec.name!r} died during the call",
            "whether it took effect is unknown; it was not repeated" + (f"; it printed: {noise}" if noise else ""),
            "look whether it took effect before calling again; the next call starts the server again",
        )

    def _keep_words(self) -> None:
        self._words = self._said() or self._words

    def _said(self) -> str:
        """The end of what a stdio server printed on stderr."""
        if self._noise is None or self._noise.closed:
            return self._words
        with contextlib.suppress(OSError, ValueError):
            size = os.fstat(self._noise.fileno()).st_size
            tail = os.pread(self._noise.fileno(), 600, max(0, size - 600)).decode("utf-8", "replace")
            return " ".join(for_terminal(tail).split())[-300:]
        return ""

    def _late(self, seconds: float) -> ToolError:
        return ToolError(
            f"the MCP server {self.spec.name!r} did not answer in time",
            f"the limit is {seconds:g} s",
            "try something smaller",
        )


_POOL: dict[str, Connection] = {}
_GUARD = threading.Lock()
_LOOPS: list[asyncio.AbstractEventLoop] = []


def connect(spec: ServerSpec) -> Connection:
    """The connection to a server; the runs of one process share it."""
    key = spec.model_dump_json()
    with _GUARD:
        if key not in _POOL:
            _POOL[key] = Connection(spec)
        return _POOL[key]


def close_all() -> None:
    """End every server this process started. Called at exit."""
    with _GUARD:
        connections = list(_POOL.values())
        _POOL.clear()
    for connection in connections:
        with contextlib.suppress(Exception):
            connection.now(connection.close(), 8)


def _loop() -> asyncio.AbstractEventLoop:
    if not _LOOPS:
        loop = asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever, name="mcp", daemon=True).start()
        _LOOPS.append(loop)
        atexit.register(close_all)
    return _LOOPS[0]
