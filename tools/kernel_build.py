"""The compilation of the kernel by the system's compiler, or by zig from the package index.

``python -m tools.kernel_build`` compiles it beside these sources, where a checkout looks for it first;
``--target aarch64-linux-gnu FILE`` compiles it by zig for another machine.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

from neuraltree.cli.command import DONE, Parser, fail, run_command
from neuraltree.engine.kernel.source import FLAGS, FOLDER, LIBRARY, VARIANTS, digest, rows_header

FAMILIES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
GLIBC = "2.17"  # the oldest C library of Linux that a library made by zig loads into
PROBE = """
#include <stdlib.h>
#include <string.h>
#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif
void *probe(size_t size) { return memset(malloc(size), 0, size); }
"""


class BuildError(Exception):
    """No compiler compiles the kernel; the message says which were tried and what they said."""


def family() -> str:
    """The processor family of this machine, as in ``VARIANTS``, or its own name if the kernel does not know it."""
    return FAMILIES.get(platform.machine().lower(), platform.machine().lower())


def zig_target(wanted: str = "") -> str:
    """The target for zig: ``wanted``, such as aarch64-linux-gnu, or this system's, for any processor of its family.

    Without a target zig compiles for the processor at hand alone.
    """
    if wanted:
        return f"{wanted}.{GLIBC}" if wanted.endswith("-gnu") and "linux" in wanted else wanted
    if sys.platform in ("darwin", "win32"):
        return f"{family()}-macos.11.0" if sys.platform == "darwin" else f"{family()}-windows-gnu"
    return f"{family()}-linux-gnu.{GLIBC}" if platform.libc_ver()[0] == "glibc" else f"{family()}-linux-musl"


def system_compilers() -> list[tuple[str, ...]]:
    """The system's C compilers that are on the PATH, in the order to try: ``$CC``, cc, gcc, clang.

    None on Windows, where gcc does not align vectors on the stack, so the kernel would crash; zig does.
    """
    if sys.platform == "win32":
        return []
    named = [tuple(shlex.split(name)) for name in (os.environ.get("CC", ""), "cc", "gcc", "clang")]
    return list(dict.fromkeys(words for words in named if words and shutil.which(words[0])))


def compilers(target: str = "") -> list[tuple[str, ...]]:
    """The C compilers to try, in order: the system's, and zig; zig alone for a ``target``."""
    zig = [(sys.executable, "-m", "ziglang", "cc", "-target", zig_target(target))]
    return [*([] if target else system_compilers()), *(zig if importlib.util.find_spec("ziglang") else [])]


def works(compiler: Sequence[str]) -> bool:
    """Whether it makes a small library for this machine with the instructions that the kernel uses."""
    wanted = list(VARIANTS[family()].values())[-1]
    with tempfile.TemporaryDirectory() as name:
        source = Path(name, "probe.c")
        source.write_text(PROBE)
        try:
            _run([*compiler, *FLAGS, *wanted, "-shared", source, "-o", source.with_name(LIBRARY)])
        except (OSError, subprocess.CalledProcessError):
            return False
    return True


def compile_kernel(target: Path, compiler: Sequence[str], machine: str, flags: Sequence[str] = ()) -> None:
    """The library ``target`` for processors of the family ``machine``; ``CalledProcessError`` if that fails."""
    variants = VARIANTS[machine]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        header = rows_header(tuple(variants)) + f'#define NT_DIGEST "{digest()}"\n'
        (folder / "rows.h").write_text(header)
        common = [*compiler, *FLAGS, *flags, f"-I{folder}", f"-I{FOLDER}"]
        objects = [folder / f"{variant}.o" for variant in variants]
        for made, (variant, wanted) in zip(objects, variants.items(), strict=True):
            _run([*common, *wanted, f"-DNT_VARIANT=_{variant}", "-c", FOLDER / "kernel.c", "-o", made])
        _run([*common, "-shared", *objects, FOLDER / "dispatch.c", FOLDER / "ffi.c", "-o", folder / LIBRARY])
        # Moved at the end, so that a process that starts meanwhile never loads half a library.
        partial = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copy(folder / LIBRARY, partial)
        partial.replace(target)


def _run(command: Sequence[str | Path]) -> None:
    subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)


def build(made: Path, target: str = "") -> tuple[str, ...]:
    """Compile the library ``made`` for this machine, or for a ``target`` of zig; the compiler that did it.

    ``BuildError`` if none can.
    """
    machine = target.partition("-")[0] or family()
    if machine not in VARIANTS:
        raise BuildError(f"the kernel has no code for {machine} processors, only for {', '.join(VARIANTS)}")
    failures = []
    for compiler in compilers(target):
        try:
            compile_kernel(made, compiler, machine)
            return compiler
        except (OSError, subprocess.CalledProcessError) as error:
            said = (getattr(error, "stderr", None) or str(error)).strip()
            failures.append(f"{' '.join(compiler)}: {said.splitlines()[-1] if said else 'failed'}")
    nothing = "ziglang is not installed" if target else "no C compiler (cc, gcc, clang) and no ziglang is installed"
    raise BuildError("; ".join(failures) or nothing)


def wheel_platform(compiler: Sequence[str]) -> str:
    """The platform tag of a wheel with a library that this compiler made."""
    target = compiler[-1] if "-target" in compiler else ""
    machine, _, system = target.partition("-")
    arm = (machine or family()) == "aarch64"
    if "macos" in system or (not target and sys.platform == "darwin"):
        release = "11" if target else platform.mac_ver()[0].partition(".")[0]  # the system's compiler: this release
        return f"macosx_{release}_0_{'arm64' if arm else 'x86_64'}"
    if "windows" in system:
        return "win_arm64" if arm else "win_amd64"
    if not target:
        return sysconfig.get_platform().replace("-", "_").replace(".", "_")
    return f"musllinux_1_2_{machine}" if "musl" in system else f"manylinux_{GLIBC.replace('.', '_')}_{machine}"


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    parser = Parser(
        prog="python -m tools.kernel_build",
        description="Compile the kernel.",
        epilog="exit codes: 0 done, 2 bad input, or nothing can compile it, 130 interrupted",
    )
    parser.add_argument("file", nargs="?", type=Path, help="default: beside the sources")
    parser.add_argument("--target", default="", help="compile by zig for another machine, such as aarch64-linux-gnu")
    wanted = parser.parse_args(argv)
    if wanted.target and not wanted.file:
        parser.error("--target needs a FILE: beside the sources, a library for another machine would be in the way")
    file = wanted.file or FOLDER / LIBRARY
    try:
        print(f"{file}, compiled by {shlex.join(build(file, wanted.target))}")
    except BuildError as error:
        return fail(f"the kernel cannot be built: {error}")
    return DONE


if __name__ == "__main__":
    run_command(main)
