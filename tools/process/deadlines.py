"""Work that may hang or burn: in a daemon thread with a deadline, or in a child process that is killed at it.
May touch: threads and child processes it started itself.
Does not promise: that a thread stops; it is left behind as a daemon. What must stop goes to a child.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")

# What a child of ours needs to start Python; nothing secret. Windows needs SYSTEMROOT to open sockets and locales.
PLAIN_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "LANG", "LC_ALL", "TZ", "SYSTEMROOT", "TMPDIR")


async def in_thread(function: Callable[..., T], *args: Any, seconds: float) -> T:
    """`function(*args)` in a daemon thread. Raises TimeoutError after `seconds`; the thread is then left to itself.

    A daemon thread and not the loop's executor: that one is joined at exit, so a hung look-up would hold the process.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(value)  # type: ignore[arg-type]

    def work() -> None:
        value, error = None, None
        try:
            value = function(*args)
        except BaseException as raised:  # carried to the caller, whatever it is
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits any more
            loop.call_soon_threadsafe(settle, value, error)

    threading.Thread(target=work, daemon=True, name=f"outrider-{getattr(function, '__name__', 'work')}").start()
    return await asyncio.wait_for(done, max(seconds, 0.0))


def until(ends: float, function: Callable[[], T]) -> T:
    """`function()` for a caller that is a thread itself: in a daemon thread, given up (TimeoutError) at `ends`.

    `ends` is on the monotonic clock. What a library does in threads of its own, which are joined at exit, ends in time.
    """
    done: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            done.put((function(), None))
        except BaseException as raised:  # carried to the caller, whatever it is
            done.put((None, raised))

    threading.Thread(target=work, daemon=True, name="outrider-until").start()
    try:
        value, error = done.get(timeout=max(0.0, ends - time.monotonic()))
    except queue.Empty:
        raise TimeoutError("timed out") from None
    if error is not None:
        raise error
    return value  # type: ignore[return-value]  # without an error there is a value


@dataclass(frozen=True, slots=True)
class Done:
    """What a child left. `timed_out`: it was killed at its deadline, `output` is what it had written by then."""

    output: bytes
    errors: str
    exit_code: int
    timed_out: bool = False


async def in_child(
    module: str,
    *arguments: str,
    stdin: bytes = b"",
    seconds: float,
    environment: Mapping[str, str] | None = None,
    max_output: int = 8 << 20,
    descriptors: Sequence[int] = (),
) -> Done:
    """Run `python -m module` with at most `seconds` of wall time and `max_output` bytes of output, then kill it.

    The child sees a plain environment (PLAIN_ENVIRONMENT) unless one is given, and inherits `descriptors`. Never raises for what the child did.
    """
    plain = {name: os.environ[name] for name in PLAIN_ENVIRONMENT if name in os.environ}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", module, *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=dict(environment) if environment is not None else plain, start_new_session=True, pass_fds=descriptors,
    )  # fmt: skip
    kept, errors = bytearray(), bytearray()
    try:
        async with asyncio.timeout(max(seconds, 0.05)):
            await asyncio.gather(
                _feed(child, stdin), _keep(child.stdout, kept, max_output), _keep(child.stderr, errors, 65_536)
            )
            code = await child.wait()
        return Done(bytes(kept), errors.decode("utf-8", "replace"), code)
    except TimeoutError:
        return Done(bytes(kept), errors.decode("utf-8", "replace"), -9, timed_out=True)
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await asyncio.shield(child.wait())


async def _feed(child: asyncio.subprocess.Process, data: bytes) -> None:
    assert child.stdin is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it ended without reading: its exit code says why
        child.stdin.write(data)
        await child.stdin.drain()
    child.stdin.close()


async def _keep(stream: asyncio.StreamReader | None, kept: bytearray, most: int) -> None:
    assert stream is not None
    while chunk := await stream.read(65_536):
        kept += chunk[: max(0, most - len(kept))]
