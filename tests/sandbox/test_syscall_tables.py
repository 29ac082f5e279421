"""The tables of system calls are compared with the machine's own headers and libseccomp, and the filter is run by hand."""

from __future__ import annotations

import ctypes
import ctypes.util
import re
from pathlib import Path

import pytest

from outrider.tools.sandbox.inside import syscalls as syscalls

HEADERS = {
    0: ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h"),
    1: ("/usr/include/asm-generic/unistd.h",),
}
ROWS = syscalls.REFUSED | syscalls.WATCHED
SCMP_ARCH = {0: 0xC000003E, 1: 0xC00000B7}


@pytest.mark.parametrize("column", [0, 1], ids=["x86_64", "aarch64"])
def test_the_table_agrees_with_the_kernels_headers(column: int) -> None:
    """Every number is the header's, and what has none there is not in the header."""
    header = next((Path(name) for name in HEADERS[column] if Path(name).exists()), None)
    if header is None:
        pytest.skip("the kernel's headers are not installed")
    numbers = {m[1]: int(m[2]) for m in re.finditer(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text())}
    wrong = {name: (row[column], numbers.get(name)) for name, row in ROWS.items() if row[column] != numbers.get(name)}
    assert wrong == {}


@pytest.mark.parametrize("column", [0, 1], ids=["x86_64", "aarch64"])
def test_the_table_agrees_with_libseccomp(column: int) -> None:
    """A second opinion, where the library is installed."""
    library = ctypes.util.find_library("seccomp")
    if library is None:
        pytest.skip("libseccomp is not installed")
    resolve = ctypes.CDLL(library).seccomp_syscall_resolve_name_arch
    resolve.argtypes = (ctypes.c_uint32, ctypes.c_char_p)
    for name, row in ROWS.items():
        number = resolve(SCMP_ARCH[column], name.encode())
        if number >= 0:  # below: not on this machine, or not known to this version
            assert row[column] == number, name
        elif number < -1:
            assert row[column] is None, name


def run(program: list[syscalls.Step], arch: int, number: int, *arguments: int) -> int:
    """What the kernel would answer: the filter interpreted over one call."""
    data = {0: number, 4: arch} | {16 + 8 * i: a & 0xFFFFFFFF for i, a in enumerate(arguments)}
    at, accumulator = 0, 0
    while True:
        code, yes, no, operand = program[at]
        at += 1
        if code == 0x20:
            accumulator = data.get(operand, 0)
        elif code == 0x06:
            return operand
        else:
            hit = {0x15: accumulator == operand, 0x35: accumulator >= operand, 0x45: bool(accumulator & operand)}[code]
            at += yes if hit else no


ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("families", [(), (1,), (1, 2, 10)])
def test_the_filter_decides_as_it_says(machine: str, families: tuple[int, ...]) -> None:
    """On both machines, every refused call is refused, watched ones by their arguments, everything else goes through."""
    column = {"x86_64": 0, "aarch64": 1}[machine]
    arch = SCMP_ARCH[column]
    program = syscalls.program(machine, families)
    for name, row in syscalls.REFUSED.items():
        if row[column] is not None:
            assert run(program, arch, row[column]) == EPERM, name
    number = {name: row[column] for name, row in syscalls.WATCHED.items()}
    assert run(program, arch, number["clone3"]) == ENOSYS
    assert run(program, arch, number["clone"], 0x01200011) == ALLOW
    assert run(program, arch, number["clone"], 0x10000011) == EPERM
    assert run(program, arch, number["ioctl"], 0, 0x5412) == EPERM
    assert run(program, arch, number["ioctl"], 0, 0x541C) == EPERM
    assert run(program, arch, number["ioctl"], 0, 0x5401) == ALLOW
    assert run(program, arch, number["prlimit64"], 0) == ALLOW
    assert run(program, arch, number["prlimit64"], 1) == EPERM
    for family in (1, 2, 10, 16, 17, 38, 40):
        assert run(program, arch, number["socket"], family) == (ALLOW if family in families else EPERM), family
    refused = {row[column] for row in ROWS.values()}
    for other in set(range(syscalls.NEWEST + 1)) - refused:
        assert run(program, arch, other) == ALLOW
    assert run(program, arch, syscalls.NEWEST + 1) == ENOSYS
    assert run(program, 0x40000003, 1) == KILL
    assert run(program, arch, 0x40000001) == KILL
    assert len(program) < 4096
