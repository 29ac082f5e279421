"""A call that waits, in a thread that nobody waits for: a model that hangs must not keep the process from ending.
Touches one thread for each call. Does not promise: to stop what runs in it; its result is thrown away when it comes late.
"""

from __future__ import annotations

import _thread
import asyncio
import contextvars
from collections.abc import Callable
from contextlib import suppress
from typing import Any

Tell = Callable[..., None]  # tell(function, argument): call it on the loop


async def in_thread(work: Callable[..., Any], *arguments: Any) -> Any:
    """What `work(*arguments, tell)` returns. Cancelling it, or a time limit around it, leaves the thread behind.

    Not asyncio.to_thread: the loop joins its threads when it closes, and the interpreter joins them again.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def settle(value: Any, error: BaseException | None) -> None:
        if not future.done():
            future.set_exception(error) if error else future.set_result(value)

    def tell(function: Callable[..., Any], argument: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(lambda: None if future.done() else function(argument))

    def run() -> None:
        try:
            value, error = work(*arguments, tell), None
        except Exception as caught:
            value, error = None, caught
        except BaseException as caught:  # SystemExit and StopIteration cannot travel through a future
            value, error = None, RuntimeError(f"{type(caught).__name__}: {caught}")
        if isinstance(error, StopIteration):
            error = RuntimeError(f"StopIteration: {error}")
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, value, error)

    context = contextvars.copy_context()
    _thread.start_new_thread(context.run, (run,))
    return await future
