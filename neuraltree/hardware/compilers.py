"""The compilers that builds name: one program for each family of cores, how it is found and how it is called."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path

INSTALL = "pip install 'neuraltree[measure]'"

# gcc may turn a loop into a call of one of these. newlib and avr-libc contain them, the compiler's own library does
# not, and a RISC-V compiler often comes without any other.
MEMORY = """#include <stddef.h>
#pragma GCC optimize ("no-tree-loop-distribute-patterns")
void *memcpy(void *to, const void *from, size_t n)
{ char *t = to; const char *f = from; while (n--) *t++ = *f++; return to; }
void *memset(void *to, int value, size_t n)
{ char *t = to; while (n--) *t++ = (char)value; return to; }
void *memmove(void *to, const void *from, size_t n)
{
    char *t = to;
    const char *f = from;
    if (t > f) { while (n--) t[n] = f[n]; } else { while (n--) *t++ = *f++; }
    return to;
}
"""


@dataclass(frozen=True)
class Compiler:
    """``locate`` gives the program's path or None; ``start``, ``flags`` (of the linker) and ``libraries`` surround the
    C files, to which ``files`` are added."""

    locate: Callable[[], str | None]
    version: tuple[str, ...]
    start: tuple[str, ...]
    flags: tuple[str, ...]
    libraries: tuple[str, ...]
    advice: str
    files: Mapping[str, str] = field(default_factory=dict)


def _first(*names: str) -> str | None:
    return next(filter(None, map(shutil.which, names)), None)


def _zig() -> str | None:
    spec = find_spec("ziglang")
    if spec is None or spec.origin is None:
        return None
    return shutil.which("zig", path=str(Path(spec.origin).parent))


def host_compiler() -> tuple[str, ...] | None:
    """The command that compiles for this machine, None if there is none."""
    zig = _zig()
    own = _first("cc", "gcc", "clang")
    return (own,) if own else (zig, "cc") if zig else None


_SCRIPT = ("-Wl,-T,link.ld",)
_BARE = ("-nostdlib", "-nostartfiles", *_SCRIPT)
# avr-gcc's own script, with room for code that a smaller chip has not: what does not fit is measured and then refused.
AVR_ROOM = ("-Wl,--defsym,__TEXT_REGION_LENGTH__=0x10000", "-Wl,--defsym,__DATA_REGION_LENGTH__=0x3f00")
# The start-up code that every program has is left out.
_AVR_BARE = ("-nostartfiles", "-Wl,--defsym,__do_copy_data=0", "-Wl,--defsym,__do_clear_bss=0", *AVR_ROOM)
_RISCV = ("riscv64-unknown-elf-gcc", "riscv32-unknown-elf-gcc", "riscv32-esp-elf-gcc", "riscv-none-elf-gcc")
_ZIG = Compiler(_zig, ("version",), ("cc",), _SCRIPT, (), INSTALL)
# By name and family of cores.
COMPILERS: dict[tuple[str, str], Compiler] = {
    ("clang", "arm"): _ZIG,
    ("clang", "riscv"): _ZIG,
    ("gcc", "arm"): Compiler(
        partial(_first, "arm-none-eabi-gcc"),
        ("-dumpfullversion",),
        (),
        _BARE,
        ("-lgcc", "-lc", "-lgcc"),
        "install arm-none-eabi-gcc with newlib (Debian: gcc-arm-none-eabi libnewlib-arm-none-eabi)",
    ),
    ("gcc", "riscv"): Compiler(
        partial(_first, *_RISCV),
        ("-dumpfullversion",),
        (),
        _BARE,
        ("-lgcc",),
        "install riscv64-unknown-elf-gcc (Debian: gcc-riscv64-unknown-elf)",
        {"nt_memory.c": MEMORY},
    ),
    ("gcc", "avr"): Compiler(
        partial(_first, "avr-gcc"),
        ("-dumpversion",),
        (),
        _AVR_BARE,
        ("-Wl,--start-group", "-lm", "-lgcc", "-lc", "-Wl,--end-group"),
        "install avr-gcc with avr-libc (Debian: gcc-avr avr-libc)",
    ),
}
