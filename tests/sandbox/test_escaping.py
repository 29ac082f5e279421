"""Attacks on the walls themselves: namespaces, mounts, capabilities, devices, the kernel's less trodden calls, the worker."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sandbox.attacks import Attack, attempt, leaks, says
from tests.sandbox.lanes import LANES, NOBODY, Lane, running, within

TRY = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
ARM = os.uname().machine == 'aarch64'
def call(name, x86, arm, *arguments):
    number = arm if ARM else x86
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    r = libc.syscall(ctypes.c_long(number), *words)
    print('BROKE ' + name if r >= 0 else f'{name}: {os.strerror(ctypes.get_errno())}')
    return r
def attack(name, function):
    try: function(); print('BROKE', name)
    except Exception as e: print(name, type(e).__name__, e)
"""
BROKE = says("BROKE")


def refused(name: str, code: str) -> Attack:
    """An attack without a control: only root, or nobody at all, may do this outside."""
    return Attack(name, TRY + code, BROKE, control=False, why_no_control="would need root, or change the machine")


ATTACKS = (
    refused("a new user namespace", "call('unshare', 272, 97, 0x10000000)"),
    refused("a new mount namespace", "call('unshare', 272, 97, 0x20000)"),
    refused("every new namespace by clone", "r = call('clone', 56, 220, 0x10000000 | 17, 0, 0, 0, 0)\nif r == 0: os._exit(0)"),
    refused("clone3 with a user namespace", "a = ctypes.create_string_buffer((0x10000000).to_bytes(8, 'little') + bytes(24) + (17).to_bytes(8, 'little') + bytes(48))\nr = call('clone3', 435, 435, a, 88)\nif r == 0: os._exit(0)"),
    refused("another's namespaces", "import glob\nfor p in glob.glob('/proc/[0-9]*/ns/*'):\n    try: fd = os.open(p, os.O_RDONLY)\n    except OSError: continue\n    call('setns', 308, 268, fd, 0); os.close(fd)"),
    refused("a mount", "libc.mount(b'tmpfs', b'/tmp', b'tmpfs', 0, None) == 0 and print('BROKE mount')"),
    refused("a writable remount", "print('BROKE' if libc.mount(None, b'/', None, ctypes.c_ulong(32 | 4096), None) == 0 else 'no')"),
    refused("a writable remount of /usr", "print('BROKE' if libc.mount(None, b'/usr', None, ctypes.c_ulong(32 | 4096), None) == 0 else 'no')"),
    refused("an unmount", "[print('BROKE', p) for p in (b'/usr', b'/proc', b'/proc/sys', b'/tmp') if libc.umount2(p, 2) == 0]"),
    refused("the new mount calls", "call('open_tree', 428, 428, -100, b'/', 1)\ncall('fsopen', 430, 430, b'tmpfs', 0)\ncall('mount_setattr', 442, 442, -100, b'/', 0, bytes(32), 32)"),
    refused("pivot_root and chroot", "call('pivot_root', 155, 41, b'/', b'/tmp')\nattack('chroot', lambda: os.chroot('/tmp'))"),
    refused("climbing out of the root", "os.chdir('/')\nfor _ in range(50): os.chdir('..')\nprint('BROKE' if os.path.exists(W['canary']) and open(W['canary']).read() else 'no')"),
    refused("the user and groups of others", "attack('setuid', lambda: os.setuid(0))\nattack('setgid', lambda: os.setgid(0))\nattack('setgroups', lambda: os.setgroups([0]))\nattack('setresuid', lambda: os.setresuid(0, 0, 0))"),
    refused("the id maps", "attack('uid_map', lambda: open('/proc/self/uid_map', 'w').write('0 0 1'))\nattack('gid_map', lambda: open('/proc/self/gid_map', 'w').write('0 0 1'))\nattack('1', lambda: open('/proc/1/uid_map', 'w').write('0 0 1'))"),
    refused("capabilities", "s = open('/proc/self/status').read()\nprint([l for l in s.splitlines() if l.startswith('Cap')])\nprint('BROKE' if any(int(l.split()[1], 16) for l in s.splitlines() if l.startswith(('CapEff', 'CapPrm', 'CapInh', 'CapAmb'))) else '')"),
    refused("no_new_privs", "s = open('/proc/self/status').read()\nprint('BROKE' if 'NoNewPrivs:\\t1' not in s or 'Seccomp:\\t2' not in s else '')\nlibc.prctl(38, 0, 0, 0, 0); print('BROKE' if libc.prctl(39, 0, 0, 0, 0) != 1 else '')"),
    refused("a setuid program", "import subprocess\nfor p in ('su', 'sudo', 'mount', 'newgrp', 'passwd', 'ping'):\n    try: r = subprocess.run([p, '-c', 'id -u'], capture_output=True, text=True, timeout=3, stdin=subprocess.DEVNULL)\n    except Exception as e: print(e); continue\n    print('BROKE' if r.stdout.strip() == '0' else r.returncode)"),
    refused("tracing", "for pid in (1, os.getppid(), AGENT, W['victim']): call('ptrace', 101, 117, 16, pid, 0, 0)"),
    refused("tracing a child", "pid = os.fork()\nif not pid:\n    import time; time.sleep(1); os._exit(0)\ncall('ptrace', 101, 117, 16, pid, 0, 0); os.kill(pid, 9)"),
    refused("another's descriptors", "for pid in (1, os.getppid(), AGENT, W['victim']):\n    try: fd = os.pidfd_open(pid)\n    except OSError: continue\n    call('pidfd_getfd', 438, 438, fd, 0, 0)"),
    refused("bpf, perf, userfaultfd", "call('bpf', 321, 280, 0, bytes(128), 128)\ncall('perf', 298, 241, bytes(128), 0, -1, -1, 0)\ncall('userfaultfd', 323, 282, 0)"),
    refused("modules and kexec", "call('init_module', 175, 105, b'', 0, b'')\ncall('finit_module', 313, 273, 0, b'', 0)\ncall('kexec_load', 246, 104, 0, 0, 0, 0)"),
    refused("keyrings", "call('add_key', 248, 217, b'user', b'x', b'y', 1, -3)\ncall('keyctl', 250, 219, 0, -3, 1)"),
    refused("the clock and the machine", "call('settimeofday', 164, 170, bytes(16), None)\ncall('reboot', 169, 142, 0, 0, 0, 0)\ncall('sethostname', 170, 161, b'x', 1)\ncall('swapoff', 168, 225, b'/x')"),
    refused("devices", "import stat\nfor mode, dev in ((stat.S_IFBLK, (8, 0)), (stat.S_IFBLK, (254, 0)), (stat.S_IFCHR, (1, 1)), (stat.S_IFCHR, (5, 0))):\n    attack('mknod', lambda: os.mknod(f'node{dev}', mode | 0o666, os.makedev(*dev)))"),
    refused("devices that are there", "for name in os.listdir('/dev') if os.access('/dev', os.R_OK) else ('mem', 'kmem', 'vda', 'sda', 'tty', 'kvm', 'fuse', 'ptmx'):\n    if name in ('null', 'zero', 'full', 'random', 'urandom', 'shm', 'fd', 'stdin', 'stdout', 'stderr', 'core', 'pts', 'mqueue', 'console'): continue\n    attack(name, lambda: open('/dev/' + name, 'rb').read(1))"),
    refused("memory that no quota counts", "call('memfd_create', 319, 279, b'x', 0)\ncall('memfd_secret', 447, 447, 0)"),
    refused("System V memory and messages", "call('shmget', 29, 194, 1234, 4096, 0o1666)\ncall('msgget', 68, 186, 1234, 0o1666)\ncall('semget', 64, 190, 1234, 1, 0o1666)\ncall('mq_open', 240, 180, b'x', 0o102, 0o600, None)"),
    refused("a personality without randomised memory", "call('personality', 135, 92, 0x0040000)"),
    refused("calls newer than the tables", "for n in (451, 452, 457, 458, 459, 462, 467, 500): call(f'new {n}', n, n, 0, 0, 0, 0)"),
    refused("more room by raising limits", "import resource\nfor k in ('AS', 'NPROC', 'NOFILE', 'FSIZE', 'CORE'):\n    n = getattr(resource, 'RLIMIT_' + k); h = resource.getrlimit(n)[1]\n    attack(k, lambda: resource.setrlimit(n, (h * 2 + 1, h * 2 + 1)))"),
    refused("the parent's limits", "import resource\nfor pid in (1, os.getppid()):\n    attack('prlimit', lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE, (10, 10)))"),
    refused("the worker's memory", "for pid in (1, os.getppid()):\n    attack('mem', lambda: open(f'/proc/{pid}/mem', 'r+b'))\n    attack('maps', lambda: open(f'/proc/{pid}/maps').read())\n    attack('auxv', lambda: open(f'/proc/{pid}/auxv', 'rb').read())"),
    refused("the worker's descriptors", "for pid in (1, os.getppid()):\n    attack('fd', lambda: os.listdir(f'/proc/{pid}/fd'))\n    for n in (0, 1, 10, 11): attack(f'fd {n}', lambda: open(f'/proc/{pid}/fd/{n}', 'r+b', 0))"),
    refused("control groups", "import glob\nfor p in glob.glob('/sys/fs/cgroup/**/cgroup.procs', recursive=True)[:5] + glob.glob('/sys/fs/cgroup/*/release_agent'):\n    attack(p, lambda: open(p, 'w'))"),
    Attack("another user's file by a new mount", TRY + "os.mkdir('m'); libc.mount(W['outside'].encode(), b'm', None, 4096, None)\ntry: print(open('m/canary.txt').read())\nexcept OSError as e: print(e)", leaks,
           control=False, why_no_control="needs root"),
)  # fmt: skip


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.name)
def test_the_walls_hold(open_lane: Callable[[str], Lane], lane: str, attack: Attack) -> None:
    """Every door out is shut, for root's agent and a user's."""
    assert not attempt(open_lane(lane), attack)


@pytest.mark.parametrize("lane", LANES)
def test_the_code_is_nobody_outside(open_lane: Callable[[str], Lane], lane: str) -> None:
    """Seen from outside, the code belongs to nobody when the agent is root, else to its user, and has no capability."""
    opened = open_lane(lane)
    call = threading.Thread(target=lambda: opened.shell("sleep 1.37"))
    call.start()
    seen: list[dict[str, str]] = []

    def look() -> bool:
        for pid in running("sleep\x001.37"):
            status = Path(f"/proc/{pid}/status").read_text()
            seen.append(dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line))
        return bool(seen)

    found = within(1.2, look)
    call.join()
    assert found
    nobody = str(NOBODY if opened.uid == 0 else opened.uid)
    assert seen[0]["Uid"].split() == [nobody] * 4
    assert int(seen[0]["CapEff"], 16) == int(seen[0]["CapPrm"], 16) == int(seen[0]["CapAmb"], 16) == 0
    assert (seen[0]["NoNewPrivs"], seen[0]["Seccomp"]) == ("1", "2")
