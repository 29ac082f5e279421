"""Honest programs must work, on every isolation and for every user: a sandbox that is in the way is turned off."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sandbox.lanes import EVERY_LANE, LANES, Lane

PROGRAMS = {
    "arithmetic": ("print(48317 * 271 - 999)", "13092908"),
    "a file in the workspace": ("open('a.txt', 'w').write('hello'); print(open('a.txt').read())", "hello"),
    "temporary files": (
        "import tempfile\nwith tempfile.TemporaryDirectory() as d, tempfile.NamedTemporaryFile() as f:\n    f.write(b'x' * 1000); f.flush()\n    print(len(open(f.name, 'rb').read()))",
        "1000",
    ),
    "40 MB of temporary data": (
        "import tempfile\nwith tempfile.TemporaryFile() as f:\n    for _ in range(40): f.write(bytes(1 << 20))\n    print(f.tell() >> 20)",
        "40",
    ),
    "sqlite": (
        "import sqlite3\nc = sqlite3.connect('t.db'); c.execute('create table t (x)'); c.executemany('insert into t values (?)', [(i,) for i in range(100)]); c.commit()\nprint(c.execute('select sum(x) from t').fetchone()[0])",
        "4950",
    ),
    "csv and json": (
        "import csv, json, io\nrows = list(csv.DictReader(io.StringIO('a,b\\n1,2\\n3,4\\n')))\nprint(json.dumps(sum(int(r['b']) for r in rows)))",
        "6",
    ),
    "subprocess": (
        "import subprocess\nprint(subprocess.run('echo hi | tr a-z A-Z', shell=True, capture_output=True, text=True).stdout.strip())",
        "HI",
    ),
    "another interpreter": (
        "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', 'print(1 + 1)'], capture_output=True, text=True).stdout.strip())",
        "2",
    ),
    "a pool of processes": (
        "import multiprocessing as m\nwith m.get_context('fork').Pool(3) as p: print(sum(p.map(abs, range(-10, 0))))",
        "55",
    ),
    "a process and a queue": (
        "import multiprocessing as m\nc = m.get_context('fork'); q = c.Queue(); p = c.Process(target=q.put, args=(7,)); p.start(); print(q.get(timeout=5)); p.join()",
        "7",
    ),
    "futures in processes": (
        "import multiprocessing as m\nfrom concurrent.futures import ProcessPoolExecutor\nwith ProcessPoolExecutor(2, mp_context=m.get_context('fork')) as p: print(sum(p.map(abs, (-1, -2))))",
        "3",
    ),
    "threads": (
        "import threading\nl = threading.Lock(); n = [0]\ndef f():\n    for _ in range(1000):\n        with l: n[0] += 1\nt = [threading.Thread(target=f) for _ in range(8)]\n[x.start() for x in t]; [x.join() for x in t]; print(n[0])",
        "8000",
    ),
    "asyncio": (
        "import asyncio\nasync def f(): await asyncio.sleep(.01); return 5\nprint(asyncio.run(f()))",
        "5",
    ),
    "asyncio and a program": (
        "import asyncio\nasync def f():\n    p = await asyncio.create_subprocess_exec('echo', 'ok', stdout=-1)\n    return (await p.communicate())[0].decode().strip()\nprint(asyncio.run(f()))",
        "ok",
    ),
    "Unicode": ("print('naïve 日本 🦊', 'é'.encode())", "naïve 日本 🦊 b'\\xc3\\xa9'"),
    "Unicode names": ("open('日本 é.txt', 'w').write('x'); import os; print('日本 é.txt' in os.listdir('.'))", "True"),
    "the last value": ("x = 20\nx * 2.1", ""),
    "big output": ("print('x' * 500_000)", None),
    "dates and places": ("import datetime, time\nprint(datetime.date(2024, 2, 29).isoformat(), time.time() > 1e9)", "2024-02-29 True"),
    "random numbers and secrets": ("import random, secrets, uuid\nprint(len(secrets.token_hex(4)), len(str(uuid.uuid4())))", "8 36"),
    "hashes and archives": (
        "import hashlib, zipfile, gzip\nwith zipfile.ZipFile('a.zip', 'w') as z: z.writestr('a', 'b')\nprint(zipfile.ZipFile('a.zip').read('a'), hashlib.sha256(b'').hexdigest()[:8])",
        "b'b' e3b0c442",
    ),
    "a module of the workspace": (
        "open('mine.py', 'w').write('def f(): return 9')\nimport mine\nprint(mine.f())",
        "9",
    ),
    "its own user": ("import getpass, os\nprint(os.path.expanduser('~') != '~', bool(os.getcwd()))", "True True"),
    "an exit status": ("import sys; sys.exit(0)", ""),
    "an atexit function": ("import atexit; atexit.register(print, 'bye')", "bye"),
    "pickle and dataclasses": (
        "import pickle, dataclasses\n@dataclasses.dataclass\nclass A:\n    x: int\nprint(pickle.loads(pickle.dumps(A(3))).x)",
        "3",
    ),
    "signals to itself": (
        "import signal, os\nsignal.signal(signal.SIGUSR1, lambda *a: print('heard')); os.kill(os.getpid(), signal.SIGUSR1)",
        "heard",
    ),
    "a socket pair": ("import socket\na, b = socket.socketpair(); a.send(b'x'); print(b.recv(1))", "b'x'"),
    "memory mapped files": ("import mmap\nopen('m', 'wb').write(bytes(4096))\nwith open('m', 'r+b') as f:\n    m = mmap.mmap(f.fileno(), 0); m[0] = 7; print(m[0])", "7"),
    "the processor count": ("import os\nprint(os.cpu_count() > 0)", "True"),
}  # fmt: skip
LOCKS = {"a pool of processes", "a process and a queue", "futures in processes"}  # landlock says it has none

LIBRARIES = {
    "numpy": "import numpy as n\nprint(int((n.arange(1000.0).reshape(10, 100) @ n.ones(100)).sum()))",
    "pandas": "import pandas as p\nprint(int(p.DataFrame({'a': [1, 2, 3]}).a.sum()))",
    "matplotlib": "import matplotlib.pyplot as p\np.plot([1, 2]); p.savefig('x.png'); import os; print(os.path.getsize('x.png') > 1000)",
}


@pytest.mark.parametrize("lane", EVERY_LANE)
@pytest.mark.parametrize("name", PROGRAMS)
def test_an_honest_program_works(open_lane: Callable[[str], Lane], lane: str, name: str) -> None:
    """What people write runs as it does without a sandbox."""
    opened = open_lane(lane)
    if opened.isolation == "landlock" and name in LOCKS:
        assert "multiprocessing" in opened.promises
        return
    opened.shell("rm -rf -- ./*")
    code, expected = PROGRAMS[name]
    done = opened.python_(code)
    assert (done["exit_code"], done["stopped_by"]) == (0, None), done
    if expected is not None:
        assert done["stdout"].strip() == expected, done


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_of_the_interpreter_works(open_lane: Callable[[str], Lane], lane: str, library: str) -> None:
    """Packages of the interpreter that runs the agent are there, read-only."""
    opened = open_lane(lane)
    import subprocess

    if subprocess.run([opened.python, "-c", f"import {library}"], capture_output=True).returncode:
        pytest.skip(f"{library} is not installed for the interpreter of this lane")
    done = opened.python_(LIBRARIES[library], timeout_s=60)
    assert done["exit_code"] == 0, done
    assert done["stdout"].strip() in ("499500", "6", "True")


@pytest.mark.parametrize("lane", EVERY_LANE)
def test_a_shell_command_works(open_lane: Callable[[str], Lane], lane: str) -> None:
    """Pipes, redirections, status."""
    opened = open_lane(lane)
    opened.shell("rm -rf -- ./*")
    done = opened.shell("printf 'b\\na\\n' > f; sort f | head -1; ls | wc -l; exit 3")
    assert (done["stdout"], done["exit_code"], done["files"]) == ("a\n1\n", 3, ["f"])


@pytest.mark.parametrize("lane", EVERY_LANE)
def test_long_code_is_no_trouble(open_lane: Callable[[str], Lane], lane: str) -> None:
    """Half a megabyte of code, more than a command line can hold."""
    opened = open_lane(lane)
    assert opened.shell("# " + "x" * 500_000 + "\necho long")["stdout"] == "long\n"
    assert opened.python_("# " + "x" * 500_000 + "\nprint('long')")["stdout"] == "long\n"


@pytest.mark.parametrize("lane", EVERY_LANE)
def test_a_session_keeps_its_state(open_lane: Callable[[str], Lane], lane: str) -> None:
    """Variables, imports, functions and open files live from cell to cell; the last value is told."""
    opened = open_lane(lane)
    opened.cell("import math\nx = 41\ndef f(): return x + 1")
    assert opened.cell("print(f()); math.floor(2.5)")["stdout"] == "42\n"
    assert opened.cell("f()")["value"] == "42"
    failed = opened.cell("y = 1\nf() / 0")
    assert failed["exit_code"] == 1
    assert failed["stderr"].startswith('Traceback (most recent call last):\n  File "<cell 4>", line 2')
    assert opened.cell("y")["value"] == "1"


@pytest.mark.parametrize("lane", EVERY_LANE)
def test_files_go_in_and_come_out(open_lane: Callable[[str], Lane], lane: str) -> None:
    """The code sees the workspace as it is at each call; what it makes arrives there, owned by the folder's owner."""
    opened = open_lane(lane)
    world = opened.world
    for path in world.workspace.iterdir():
        path.unlink()
    (world.workspace / "in.csv").write_text("a\n1\n")
    (world.workspace / "sub").mkdir()
    (world.workspace / "sub" / "deep.txt").write_text("deep")
    code = "import os\nprint(open('in.csv').read() + open('sub/deep.txt').read())\nos.makedirs('out/x'); open('out/x/y', 'w').write('made'); os.chmod('out/x/y', 0o755)"
    done = opened.python_(code)
    assert done["stdout"] == "a\n1\ndeep\n", done
    made = world.workspace / "out" / "x" / "y"
    assert made.read_text() == "made"
    assert made.stat().st_uid == world.uid
    assert made.stat().st_mode & 0o7777 == 0o755
    (world.workspace / "in.csv").write_text("b\n2\n")
    made.write_text("edited")
    (world.workspace / "sub" / "deep.txt").unlink()
    done = opened.python_(
        "import os\nprint(open('in.csv').read(), open('out/x/y').read(), os.listdir('sub'))\nos.unlink('in.csv')"
    )
    assert done["stdout"] == "b\n2\n edited []\n", done
    assert not (world.workspace / "in.csv").exists()
    opened.shell("rm -rf -- ./*")
    assert list(world.workspace.iterdir()) == []
