"""Attacks that change what is not the code's: files outside, the interpreter, what other programs run, the workspace's trust."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sandbox.attacks import Attack, attempt, changes, says
from tests.sandbox.lanes import CONTROLS, LANES, Lane

TRY = """
import os, sys
def attack(*functions):
    for function in functions:
        try: function()
        except Exception as e: print(type(e).__name__)
"""


def in_workspace(name: str) -> Callable[..., bool]:
    """Something of that name arrived in the user's workspace."""
    return lambda lane, before, done: (
        (lane.world.workspace / name).exists() or (lane.world.workspace / name).is_symlink()
    )


METADATA = ("landlock",)  # "modes, times and owners of your own files can be touched" is said in its promises

ATTACKS = (
    Attack("overwrite a file", TRY + "attack(lambda: open(W['canary'], 'w').write('x'))", changes),
    Attack("append to a file", TRY + "attack(lambda: open(W['canary'], 'a').write('x'))", changes),
    Attack("cut a file short", TRY + "attack(lambda: os.truncate(W['canary'], 0))", changes),
    Attack("make a file", TRY + "attack(lambda: open(W['outside'] + '/made', 'w').write('x'))", changes),
    Attack("make a folder", TRY + "attack(lambda: os.mkdir(W['outside'] + '/made'))", changes),
    Attack("make a link", TRY + "attack(lambda: os.symlink('/etc', W['outside'] + '/made'))", changes),
    Attack("make a pipe", TRY + "attack(lambda: os.mkfifo(W['outside'] + '/made'))", changes),
    Attack("delete a file", TRY + "attack(lambda: os.unlink(W['canary']))", changes),
    Attack("rename a file", TRY + "attack(lambda: os.rename(W['canary'], W['outside'] + '/other'))", changes),
    Attack("delete by a program", 'rm -f "$canary" "$database"', changes, shell=True),
    Attack("write through a link", TRY + "os.symlink(W['canary'], 'l'); attack(lambda: open('l', 'w').write('x'))", changes),
    Attack("write through /proc/self/root", TRY + "attack(lambda: open('/proc/self/root' + W['canary'], 'w').write('x'))", changes),
    Attack("write through another's root", TRY + "attack(lambda: open(f\"/proc/{W['victim']}/root\" + W['canary'], 'w').write('x'))", changes),
    Attack("write through the parent's root", TRY + "attack(lambda: open(f'/proc/{os.getppid()}/root' + W['canary'], 'w').write('x'))", changes,
           control=False, why_no_control="the worker closes its own /proc entry to users"),
    Attack("change a mode", TRY + "attack(lambda: os.chmod(W['canary'], 0o777))", changes, not_promised=METADATA),
    Attack("make a file setuid", TRY + "attack(lambda: os.chmod(W['canary'], 0o4755))", changes, not_promised=METADATA),
    Attack("add a key to the home folder", TRY + "attack(lambda: open(W['home'] + '/.ssh/authorized_keys', 'w').write('x'))", changes),
    Attack("add a startup file to the home folder", TRY + "attack(lambda: open(W['home'] + '/.bashrc', 'a').write('x'), lambda: open(W['home'] + '/.profile', 'a').write('x'))", changes),
    Attack("change the database", TRY + "attack(lambda: open(W['database'], 'r+b').write(b'x'))", changes),
    Attack("change the interpreter's packages", TRY + """
import sysconfig
for key in ('purelib', 'platlib', 'stdlib', 'scripts'):
    place = os.path.join(sysconfig.get_paths()[key], 'outrider_attack.py')
    attack(lambda: open(place, 'w').write('x'))
    if os.path.exists(place): print('PLANTED'); os.unlink(place)
""", says("PLANTED"), control=False, why_no_control="an unprivileged user may not own the interpreter"),
    Attack("change the interpreter itself", TRY + """
def by(path):
    fd = os.open(path, os.O_WRONLY); print('OPENED'); os.close(fd)
attack(lambda: by('/proc/self/exe'), lambda: by(os.path.realpath(sys.executable)), lambda: by('/proc/1/exe'))
""", says("OPENED"), control=False, why_no_control="a running program's file cannot be opened for writing anyway"),
    Attack("change the interpreter's mode", TRY + """
def by(path):
    mode = os.stat(path).st_mode; os.chmod(path, mode & 0o7777); print('CHANGED')
attack(lambda: by('/proc/self/exe'), lambda: by(os.path.realpath(sys.executable)), lambda: by(f'/proc/{os.getppid()}/exe'))
""", says("CHANGED"), not_promised=METADATA, control=False, why_no_control="an unprivileged user may not own the interpreter"),
    Attack("change the sandbox's own programs", TRY + """
import glob
for path in glob.glob('/.outrider/*') + glob.glob('/.outrider'):
    attack(lambda: (os.chmod(path, 0o777), print('CHANGED')))
    if os.path.isfile(path): attack(lambda: (open(path, 'a'), print('CHANGED')))
attack(lambda: (open('/.outrider/x', 'w'), print('CHANGED')))
""", says("CHANGED"), control=False, why_no_control="there is no such folder without a sandbox"),
    Attack("change the system", TRY + "attack(*(lambda p=p: (open(p, 'w'), print('CHANGED')) for p in ('/usr/x', '/bin/x', '/etc/x', '/x', '/lib/x', '/dev/x', '/etc/passwd', '/etc/hosts')))", says("CHANGED"),
           control=False, why_no_control="it would change this machine when run as root"),
    Attack("steer the kernel", TRY + """
for path in ('/proc/sys/kernel/hostname', '/proc/sys/vm/drop_caches', '/proc/sysrq-trigger', '/proc/sys/kernel/core_pattern', '/proc/sys/fs/file-max'):
    attack(lambda: (open(path, 'w'), print('OPENED', path)))
""", says("OPENED"), control=False, why_no_control="a user may not, and root must not"),
    Attack("plant a git hook", TRY + "os.makedirs('.git/hooks'); open('.git/hooks/post-commit', 'w').write('x')", in_workspace(".git"),
           control=False, why_no_control="the workspace's rules hold without isolation, too"),
    Attack("plant an editor's settings", TRY + "os.makedirs('.vscode'); open('.vscode/tasks.json', 'w').write('x')", in_workspace(".vscode"),
           control=False, why_no_control="the workspace's rules hold without isolation, too"),
    Attack("plant the agent's configuration", TRY + "open('outrider.toml', 'w').write('x')", in_workspace("outrider.toml"),
           control=False, why_no_control="the workspace's rules hold without isolation, too"),
    Attack("plant a link that leads out", TRY + "os.symlink(W['canary'], 'report.txt')", in_workspace("report.txt"),
           control=False, why_no_control="the workspace's rules hold without isolation, too"),
    Attack("plant a link that climbs out", TRY + "os.mkdir('a'); os.symlink('../../outside', 'a/data')", in_workspace("a/data"),
           control=False, why_no_control="the workspace's rules hold without isolation, too"),
    Attack("plant a link that climbs out through another", TRY + "os.mkdir('q'); os.symlink('..', 'q/up'); os.symlink('q/up/../outside', 'esc')", in_workspace("esc"),
           control=False, why_no_control="the workspace's rules hold without isolation, too"),
    Attack("plant a pipe that blocks its reader", TRY + "os.mkfifo('log.txt')", in_workspace("log.txt"),
           control=False, why_no_control="the workspace's rules hold without isolation, too"),
    Attack("plant a setuid program", TRY + "open('tool', 'w').write('x'); os.chmod('tool', 0o6777)",
           lambda lane, before, done: bool((lane.world.workspace / "tool").stat().st_mode & 0o7022),
           control=False, why_no_control="the workspace's rules hold without isolation, too"),
    Attack("replace a folder by a link, then write through it", TRY + """
import shutil
os.mkdir('data'); open('data/a', 'w').write('x'); shutil.rmtree('data'); os.symlink(W['outside'], 'data')
attack(lambda: open('data/made', 'w').write('x'))
""", changes),
)  # fmt: skip


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.name)
def test_writing_fails(open_lane: Callable[[str], Lane], lane: str, attack: Attack) -> None:
    """Nothing but the workspace changes, and nothing arrives there that another program would run or trust."""
    got = attempt(opened := open_lane(lane), attack)
    assert not got or opened.isolation in attack.not_promised


@pytest.mark.parametrize("lane", CONTROLS)
@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.control], ids=lambda a: a.name)
def test_writing_works_without_a_sandbox(open_lane: Callable[[str], Lane], lane: str, attack: Attack) -> None:
    """The positive control: each attack gets through where nothing isolates."""
    assert attempt(open_lane(lane), attack)


@pytest.mark.parametrize("lane", LANES)
def test_the_host_follows_no_link_of_the_workspace(open_lane: Callable[[str], Lane], lane: str) -> None:
    """A folder of the workspace that is really a link outside is not written through when results come back."""
    opened = open_lane(lane)
    (opened.world.workspace / "out").symlink_to(opened.world.outside)
    before = opened.world.snapshot()
    done = opened.python_("import os\nos.makedirs('out', exist_ok=True)\nopen('out/made', 'w').write('x')")
    (opened.world.workspace / "out").unlink()
    assert opened.world.snapshot() == before
    assert any("out" in reason for reason in done["left_out"])
