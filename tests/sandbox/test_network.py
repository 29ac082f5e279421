"""Attacks that reach out: TCP, UDP, IPv6, Unix sockets, abstract names, raw packets, other families."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from tests.sandbox.attacks import Attack, attempt, reaches, says
from tests.sandbox.lanes import CONTROLS, LANES, Lane

TRY = """
import socket, os, sys
def attack(function):
    try: print(function())
    except Exception as e: print(type(e).__name__, e)
"""

ATTACKS = (
    Attack("TCP", TRY + "attack(lambda: socket.create_connection(('127.0.0.1', W['tcp']), 2))", reaches),
    Attack("TCP over IPv6", TRY + "attack(lambda: socket.create_connection(('::1', W['tcp6']), 2))", reaches),
    Attack("TCP to a mapped address", TRY + "attack(lambda: socket.create_connection(('::ffff:127.0.0.1', W['tcp']), 2))", reaches),
    Attack("TCP by the host's name", TRY + "attack(lambda: socket.create_connection(('localhost', W['tcp']), 2))", reaches),
    Attack("TCP fast open", TRY + "s = None\ndef f():\n    s = socket.socket(); s.sendto(b'hi', 0x20000000, ('127.0.0.1', W['tcp']))\nattack(f)\nimport time; time.sleep(.2)", reaches),
    Attack("UDP", TRY + "def f():\n    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b'hi', ('127.0.0.1', W['udp']))\nattack(f)\nimport time; time.sleep(.2)", reaches),
    Attack("a Unix socket by its path", TRY + "def f():\n    s = socket.socket(socket.AF_UNIX); s.connect(W['unix'])\nattack(f)", reaches),
    Attack("a Unix socket through a link", TRY + "def f():\n    os.symlink(W['unix'], 's'); s = socket.socket(socket.AF_UNIX); s.connect('s')\nattack(f)", reaches),
    Attack("an abstract Unix socket", TRY + "def f():\n    s = socket.socket(socket.AF_UNIX); s.connect(W['abstract'])\nattack(f)", reaches),
    Attack("a program", "exec 3<>/dev/tcp/127.0.0.1/$tcp && echo hi >&3", reaches, shell=True),
    Attack("a request by urllib", TRY + "import urllib.request\nattack(lambda: urllib.request.urlopen(f\"http://127.0.0.1:{W['tcp']}/\", timeout=2))", reaches),
    Attack("a raw socket", TRY + "def f():\n    socket.socket(socket.AF_INET, socket.SOCK_RAW, 1); print('RAW')\nattack(f)", says("RAW"), control=False, why_no_control="needs root"),
    Attack("a packet socket", TRY + "def f():\n    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3); print('PACKET')\nattack(f)", says("PACKET"), control=False, why_no_control="needs root"),
    Attack("the virtual machine's host", TRY + "def f():\n    socket.socket(40, socket.SOCK_STREAM); print('VSOCK')\nattack(f)", says("VSOCK"), control=False, why_no_control="may be compiled out"),
    Attack("the kernel by netlink", TRY + "def f():\n    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0); print('NETLINK')\nattack(f)", says("NETLINK")),
    Attack("the kernel's ciphers", TRY + "def f():\n    socket.socket(38, 5, 0); print('ALG')\nattack(f)", says("ALG"), control=False, why_no_control="may be compiled out"),
    Attack("a listener for the machine", TRY + "def f():\n    s = socket.create_server(('0.0.0.0', 0)); print('LISTEN')\nattack(f)", says("LISTEN")),
    Attack("a socket by the 32-bit door", TRY + """
import ctypes, mmap
# mov eax, 359 (socket); mov ebx, 2; mov ecx, 1; xor edx, edx; int 0x80; ret
code = bytes.fromhex('53b867010000bb02000000b90100000031d2cd805bc3')
m = mmap.mmap(-1, 4096, prot=7); m.write(code)
address = ctypes.addressof(ctypes.c_char.from_buffer(m))
if os.uname().machine == 'x86_64':
    r = ctypes.CFUNCTYPE(ctypes.c_int)(address)()
    print('SOCKET' if r >= 0 else r)
""", says("SOCKET"), control=False, why_no_control="the kernel may be built without it"),
    Attack("a socket by the x32 door", TRY + "import ctypes\nr = ctypes.CDLL(None).syscall(0x40000000 + 41, 2, 1, 0); print('SOCKET' if r >= 0 else r)", says("SOCKET"),
           control=False, why_no_control="the kernel may be built without it"),
    Attack("a socket by io_uring", TRY + "import ctypes\nr = ctypes.CDLL(None).syscall(425, 4, ctypes.create_string_buffer(200)); print('RING' if r >= 0 else r)", says("RING"),
           control=False, why_no_control="the kernel may be built without it"),
    Attack("a name server", TRY + "attack(lambda: socket.getaddrinfo('example.org', 80))\nprint('NAME' if os.path.exists('/etc/resolv.conf') and open('/etc/resolv.conf').read() else '')", says("NAME"),
           control=False, why_no_control="there may be none"),
)  # fmt: skip


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.name)
def test_the_network_is_out_of_reach(open_lane: Callable[[str], Lane], lane: str, attack: Attack) -> None:
    """No listener outside hears anything, over any family of addresses."""
    assert not attempt(open_lane(lane), attack)


@pytest.mark.parametrize("lane", CONTROLS)
@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.control], ids=lambda a: a.name)
def test_the_network_is_in_reach_without_a_sandbox(open_lane: Callable[[str], Lane], lane: str, attack: Attack) -> None:
    """The positive control: each attack gets through where nothing isolates."""
    assert attempt(open_lane(lane), dataclasses.replace(attack, wait_s=2.0))
