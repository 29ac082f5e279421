"""Threads for tools that are plain functions, kept for the next call.
May touch: starts threads. Nobody joins them: a tool that hangs must not keep the process from ending, so it keeps its thread and
the next call gets another. Does not promise: a limit on how many run; whoever calls has one.

Not `concurrent.futures`: its threads are joined at exit. Not `threading.Thread`: its start waits for the new thread to be
scheduled, which costs a busy loop milliseconds.
"""

from __future__ import annotations

import _thread
import os
from collections import deque
from collections.abc import Callable
from contextvars import Context
from queue import Empty, SimpleQueue

IDLE_S = 10.0  # a thread without work ends after so long

Work = Callable[[], None]
_idle: deque[SimpleQueue[Work]] = deque()  # the inboxes of threads that wait; the one used last is used first

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # a fork has none of these threads


def in_thread(work: Work) -> None:
    """Run `work`, which must not raise, in a thread of its own."""
    try:
        inbox = _idle.pop()
    except IndexError:
        inbox = SimpleQueue()
        _thread.start_new_thread(_serve, (inbox,))
    inbox.put(work)


def _serve(inbox: SimpleQueue[Work]) -> None:
    while True:
        try:
            work = inbox.get(timeout=IDLE_S)
        except Empty:
            try:
                _idle.remove(inbox)
            except ValueError:  # somebody took it just now: work is on its way, or this thread is at its first
                continue
            return
        Context().run(work)  # what one tool sets (decimal's precision, say) is not the next one's
        del work  # and what it holds
        _idle.append(inbox)
