"""Attacks that read what is not for the code: files, home, the agent's environment and memory, other processes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sandbox.attacks import Attack, attempt, leaks, says
from tests.sandbox.lanes import CONTROLS, LANES, Lane

TRY = """
import os, sys, glob, subprocess
def show(*places):
    for place in places:
        try:
            with open(place, 'rb') as f: data = f.read(1 << 20)
            at = max(0, data.find(b'token-'))
            print(data[at:at + 200])
        except Exception as e: print(type(e).__name__)
"""

ATTACKS = (
    Attack("a file by its path", TRY + "show(W['canary'])", leaks),
    Attack("a file through a link made in the workspace", TRY + "os.symlink(W['canary'], 'l'); show('l')", leaks),
    Attack("a file through a link to its folder", TRY + "os.symlink(W['outside'], 'd'); show('d/canary.txt')", leaks),
    Attack("a file through /proc/self/root", TRY + "show('/proc/self/root' + W['canary'])", leaks),
    Attack("a file through /proc/self/cwd", TRY + "show('/proc/self/cwd/' + '../' * 20 + W['canary'].lstrip('/'))", leaks),
    Attack("a file through another process's root", TRY + "show(*(p + W['canary'] for p in glob.glob('/proc/[0-9]*/root')))", leaks),
    Attack("a file through another process's folder", TRY + "show(*(p + W['canary'] for p in glob.glob('/proc/*/task/*/root')))", leaks),
    Attack("a file by climbing out of the workspace", TRY + "show(*('../' * n + W['canary'].lstrip('/') for n in range(1, 20)))", leaks),
    Attack("a file by a program", "cat $canary", leaks, shell=True),
    Attack("a file by sourcing it", ". $canary 2>&1", leaks, shell=True),
    Attack("a file by hard link", TRY + "os.link(W['canary'], 'h'); show('h')", leaks, control=False,
           why_no_control="the workspace of the control may lie on another file system"),
    Attack("a key in the home folder", TRY + "show(os.path.join(W['home'], '.ssh', 'id_ed25519'))", leaks),
    Attack("the home folder by ~", TRY + "show(os.path.expanduser('~/.ssh/id_ed25519'), os.path.join(W['home'], '.ssh/id_ed25519'))", leaks),
    Attack("the memory database", TRY + "show(W['database'])", leaks),
    Attack("the memory database by sqlite", TRY + "import sqlite3, urllib.parse\nprint(open(urllib.parse.unquote(W['database']),'rb').read())", leaks),
    Attack("the agent's environment", TRY + "show(f'/proc/{AGENT}/environ')", leaks),
    Attack("every environment in /proc", TRY + "show(*glob.glob('/proc/*/environ'))", leaks),
    Attack("every command line in /proc", TRY + "show(*glob.glob('/proc/*/cmdline'))\nprint('VICTIM' * os.path.exists(f\"/proc/{W['victim']}/cmdline\"))",
           lambda lane, before, done: "sleep" in done["stdout"] and "1000" in done["stdout"]),
    Attack("its own inherited environment", TRY + "print(dict(os.environ)); show('/proc/self/environ', '/proc/1/environ')", leaks, control=False,
           why_no_control="the worker starts with an empty environment without a sandbox, too"),
    Attack("the environment of its parent", TRY + "show(f'/proc/{os.getppid()}/environ')", leaks, control=False,
           why_no_control="the parent is the worker, whose environment is empty without a sandbox, too"),
    Attack("the memory of another process", TRY + """
import re
for pid in (W['victim'], AGENT, os.getppid(), 1):
    try:
        maps = open(f'/proc/{pid}/maps').read()
        with open(f'/proc/{pid}/mem', 'rb', 0) as m:
            for a, b in re.findall(r'^([0-9a-f]+)-([0-9a-f]+) r', maps, re.M):
                try:
                    m.seek(int(a, 16)); d = m.read(min(int(b, 16) - int(a, 16), 1 << 22)); i = d.find(b'token-')
                    if i >= 0: print(d[i:i + 40])
                except Exception: pass
    except Exception as e: print(type(e).__name__)
""", leaks),
    Attack("the memory of another process by process_vm_readv", TRY + """
import ctypes, re
libc = ctypes.CDLL(None, use_errno=True)
class V(ctypes.Structure): _fields_ = [('b', ctypes.c_void_p), ('n', ctypes.c_size_t)]
try:
    maps = open(f"/proc/{W['victim']}/maps").read()
    a, b = [int(x, 16) for x in re.search(r'^([0-9a-f]+)-([0-9a-f]+) .*\\[stack\\]', maps, re.M).groups()]
    buf = ctypes.create_string_buffer(b - a)
    l, r = V(ctypes.addressof(buf), b - a), V(a, b - a)
    n = libc.process_vm_readv(W['victim'], ctypes.byref(l), 1, ctypes.byref(r), 1, 0)
    i = buf.raw.find(b'token-'); print(n, buf.raw[i:i + 40] if i >= 0 else '')
except Exception as e: print(type(e).__name__)
""", leaks),
    Attack("a file by its handle", TRY + """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
handle = ctypes.create_string_buffer((128).to_bytes(4, 'little') + bytes(200)); mount = ctypes.c_int()
r = libc.name_to_handle_at(-100, b'/usr', handle, ctypes.byref(mount), 0)
print('HANDLE' if r == 0 else 'no')
""", says("HANDLE")),
    Attack("files of the machine", TRY + "show('/etc/shadow', '/etc/machine-id', '/etc/hostname', '/root/.bashrc')\nprint('SEEN' if os.path.exists('/etc/hostname') and open('/etc/hostname').read() else '')", says("SEEN")),
    Attack("the list of the workspace's neighbours", TRY + "print('SEEN' if 'canary.txt' in os.listdir(W['outside']) else '')", says("SEEN")),
    Attack("an open descriptor left by the agent", TRY + """
for fd in range(5, 4096):
    try: print('LEFT', fd, os.readlink(f'/proc/self/fd/{fd}'))
    except OSError: pass
""", says("LEFT"), control=False, why_no_control="the worker leaves none without a sandbox, too; below is a test that shows one"),
    Attack("the kernel's log", TRY + "import ctypes\nn = ctypes.CDLL(None).klogctl(3, ctypes.create_string_buffer(9999), 9999); print('READ' if n > 0 else '')", says("READ"),
           control=False, why_no_control="the kernel may keep it from users"),
    Attack("the keys of the kernel", TRY + "import ctypes\nr = ctypes.CDLL(None).syscall(250, 0, -3, 0); print('KEY' if r >= 0 else '')", says("KEY"), control=False,
           why_no_control="a session keyring may be missing"),
)  # fmt: skip


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.name)
def test_reading_fails(open_lane: Callable[[str], Lane], lane: str, attack: Attack) -> None:
    """What is not in the view cannot be read, by whatever name it is asked for."""
    got = attempt(opened := open_lane(lane), attack)
    assert not got or opened.isolation in attack.not_promised


@pytest.mark.parametrize("lane", CONTROLS)
@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.control], ids=lambda a: a.name)
def test_reading_works_without_a_sandbox(open_lane: Callable[[str], Lane], lane: str, attack: Attack) -> None:
    """The positive control: each attack gets through where nothing isolates."""
    assert attempt(open_lane(lane), attack)
