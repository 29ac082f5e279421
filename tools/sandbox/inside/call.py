"""One call: a forked, confined process for the code, and how all that it started is ended.
May touch: processes below this worker. The worker is the reaper: what the code leaves behind becomes the worker's child,
and is killed when the call ends. Does not promise that what a kept session started in the background and orphaned lives on.
"""
# Text paths and plain try: this runs while a worker starts, and pathlib and contextlib would double that time.
# ruff: noqa: PTH123, PTH208

from __future__ import annotations

import os
import time

from outrider.tools.sandbox.inside import confine as confine
from outrider.tools.sandbox.inside import kernel as kernel
from outrider.tools.sandbox.inside.output import Stream
from outrider.tools.sandbox.inside.settings import Record

TYPE_CHECKING = False  # as typing has it; typing itself is slow to import
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

FROM_AGENT, TO_AGENT = 3, 4  # descriptors of the code's process: answers in, results and tool calls out
CLEAR_S = 2.0  # longer than that, no honest program resists; the worker then ends, and all with it
Table = dict[int, tuple[int, int, int]]


class Rules(Record):
    """What binds every call of this worker; the same for all. `seal`: see Settings."""

    workspace: str
    bounds: confine.Bounds
    read: tuple[str, ...]
    write: tuple[str, ...]
    families: tuple[int, ...]
    seal: str
    tcp: bool
    keep_output: int
    count_processes: Callable[[], int]


class Call:
    """A call as the worker sees it. `idle`: a kept session between two cells."""

    def __init__(
        self, identity: bytes, kind: bytes, pid: int, deadline: float, ends: tuple[int, int, int, int], keep: int
    ):
        self.id, self.kind, self.pid, self.deadline = identity, kind, pid, deadline
        self.pid_fd = os.pidfd_open(pid)
        out, err, self.results, self.answers = ends
        self.out, self.err = Stream(out, keep), Stream(err, keep)
        self.started = time.monotonic()
        self.inbox, self.outbox = bytearray(), bytearray()
        self.stopped_by = self.hint = self.value = self.figures = b""
        self.crowded = self.waiting_for_agent = self.idle = False
        self.files_before = 0

    def close(self) -> None:
        """Let go of the descriptors."""
        for fd in (self.out.fd, self.err.fd, self.results, self.answers, self.pid_fd):
            if fd >= 0:
                os.close(fd)


def start(identity: bytes, kind: bytes, seconds: float, rules: Rules, program: Callable[[], int]) -> Call:
    """Fork a confined process that runs `program` and ends with what it returns. Raises OSError if it cannot be made."""
    out, out_end = os.pipe()
    err, err_end = os.pipe()
    results, results_end = os.pipe()
    answers_end, answers = os.pipe()
    ends = (out_end, err_end, answers_end, results_end)
    now = time.monotonic()
    try:
        pid = os.fork()
    except OSError:
        for fd in (*ends, out, err, results, answers):
            os.close(fd)
        raise
    if pid == 0:
        _run(ends, rules, program)
    for fd in ends:
        os.close(fd)
    os.set_blocking(results, False)
    os.set_blocking(answers, False)
    return Call(identity, kind, pid, now + seconds, (out, err, results, answers), rules.keep_output)


def _run(ends: tuple[int, int, int, int], rules: Rules, program: Callable[[], int]) -> None:
    """The code's own process, from the fork to the end. Never returns."""
    status = 125
    try:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, 9)
        others = rules.count_processes()
        _arrange_descriptors(ends)
        os.setsid()
        os.chdir(rules.workspace)
        os.umask(0o022)
        confine.bound(rules.bounds, others)
        if rules.seal == "call":
            seal(rules)
        if rules.seal != "never":
            confine.disarm()
        status = program()
    except BaseException as error:
        os.write(2, f"the sandbox could not start the code: {type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(status)


def seal(rules: Rules) -> None:
    """Landlock and seccomp for this process and all that come from it. Raises OSError if what must be there is not."""
    abi = confine.landlock(rules.read, rules.write, tcp=rules.tcp)
    if rules.seal == "call" and not abi:
        raise OSError("Landlock is not there")
    confine.seal(rules.families)


def _arrange_descriptors(ends: tuple[int, int, int, int]) -> None:
    """stdin from nowhere, stdout, stderr, answers, results; nothing else stays open."""
    for place, fd in enumerate((os.open("/dev/null", os.O_RDONLY), *ends)):
        os.dup2(fd, place, inheritable=place < 3)  # no source is below 5: the worker keeps those numbers taken
    os.closerange(5, 1 << 16)


def reap(known: Iterable[int]) -> dict[int, int]:
    """Collect all children that have ended: {pid: exit status} of those in `known`; 128 + signal if one ended it."""
    ended: dict[int, int] = {}
    known = set(known)
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if not pid:
            return ended
        if pid in known:
            result = os.waitstatus_to_exitcode(status)
            ended[pid] = result if result >= 0 else 128 - result


def kill(pids: Iterable[int]) -> None:
    """SIGKILL to each, as far as it is still there."""
    for pid in pids:
        try:
            os.kill(pid, 9)
        except OSError:
            continue


def clear(spare: Iterable[int]) -> bool:
    """Kill every process below this worker that is not in `spare` or below it. False if some would not go in CLEAR_S."""
    spared = set(spare)
    until = time.monotonic() + CLEAR_S
    while True:
        if not spared:
            if os.getpid() == 1:
                kill((-1,))  # everything in this process namespace but us, at one instant: nothing can outrun it
            if _childless():
                return True
        processes = table()
        kept = spared | {pid for one in spared for pid in descendants(one, processes)}
        strays = [pid for pid in descendants(os.getpid(), processes) if pid not in kept]
        if not strays:
            return True
        if time.monotonic() > until:
            return False
        kill(strays)
        for pid in strays:
            try:
                os.waitpid(pid, os.WNOHANG)  # by its id: a spared child's end is not for here
            except ChildProcessError:
                continue  # its parent is a stray too; it is ours in the next round
        time.sleep(0.0002)


def _childless() -> bool:
    """Whether nothing at all is left below this process: what is orphaned becomes its child, so no child means nobody."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


def table() -> Table:
    """Every process there is: its parent, its threads, its resident pages."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb", buffering=0) as file:
                    words = file.read().rpartition(b")")[2].split()
                found[int(name)] = int(words[1]), int(words[17]), int(words[21])
            except (OSError, IndexError, ValueError):
                continue  # it ended while we looked
    return found


def descendants(root: int, processes: Table) -> list[int]:
    """Ids of all processes below `root`."""
    children: dict[int, list[int]] = {}
    for pid, (parent, _, _) in processes.items():
        children.setdefault(parent, []).append(pid)
    below, waiting = [], [root]
    while waiting:
        for pid in children.get(waiting.pop(), ()):
            below.append(pid)
            waiting.append(pid)
    return below
