"""Compilers: which are installed, their versions, and the image that each makes from a set of C files."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from neuraltree.hardware.measure.cores import CORES, Core, MeasureError
from neuraltree.hardware.measure.folders import compiler_folder, renew_compiler_folder
from neuraltree.hardware.measure.image import SCRIPT, Built, read_image

LIMIT_S = 300.0
# A failure that the C files cause and not the compiler's library, whose names begin with __ or mem.
OF_SOURCE = re.compile(r"\.[ch]:\d+:\d+: (fatal )?error: |undefined symbol: (?!__|mem)|overflowed|will not fit")
PARTS = ("unicorn", "capstone", "elftools")
INSTALL = "pip install 'neuraltree[measure]'"

# Both compilers keep their default for fusing a*b + c under -std=c99: clang fuses inside an expression, gcc does not.
COMMON = ("-std=c99", "-O2", "-ffreestanding", "-ffunction-sections", "-fdata-sections")
# gcc's defaults, which clang (above all zig's) does not share: no frame pointers, no unwind tables.
PLAIN = ("-fomit-frame-pointer", "-fno-unwind-tables", "-fno-asynchronous-unwind-tables")


@dataclass(frozen=True)
class Compiler:
    """A compiler by name: ``locate`` gives its path or None, ``flags`` and ``libraries`` surround the files."""

    name: str
    locate: Callable[[], str | None]
    version: tuple[str, ...]
    start: tuple[str, ...]
    flags: tuple[str, ...]
    libraries: tuple[str, ...]
    advice: str


def _zig() -> str | None:
    spec = find_spec("ziglang")
    if spec is None or spec.origin is None:
        return None
    return shutil.which("zig", path=str(Path(spec.origin).parent))


# gcc may turn a loop into a call of memset or memcpy; newlib contains them, libgcc does not.
_ROWS = [
    Compiler("clang", _zig, ("version",), ("cc",), (*COMMON, *PLAIN), (), INSTALL),
    Compiler(
        "gcc",
        lambda: shutil.which("arm-none-eabi-gcc"),
        ("-dumpfullversion",),
        (),
        (*COMMON, *PLAIN, "-nostdlib", "-nostartfiles"),
        ("-lgcc", "-lc", "-lgcc"),
        "install arm-none-eabi-gcc with newlib (Debian: gcc-arm-none-eabi libnewlib-arm-none-eabi)",
    ),
]
COMPILERS = {row.name: row for row in _ROWS}


def available_compilers() -> dict[str, tuple[str, ...]]:
    """The compilers that can be used for measuring here, each with the cores for which it builds; starts no process."""
    if not all(map(find_spec, PARTS)):
        return {}
    present = [name for name, compiler in COMPILERS.items() if compiler.locate()]
    return {name: tuple(core.name for core in CORES.values() if name in core.flags) for name in present}


def check(core: Core, name: str) -> None:
    """``MeasureError`` if the compiler is unknown, cannot build for the core, or something is not installed."""
    if name not in COMPILERS:
        raise MeasureError(f"unknown compiler {name!r}; allowed: {', '.join(COMPILERS)}")
    if name not in core.flags:
        raise MeasureError(f"{name} does not build for {core.name}; allowed: {', '.join(core.flags)}")
    for part in PARTS:
        if find_spec(part) is None:
            raise MeasureError(f"measuring needs the package {part}: {INSTALL}")
    if COMPILERS[name].locate() is None:
        raise MeasureError(f"the compiler {name} is not here: {COMPILERS[name].advice}")


@cache
def _version_of(path: str, arguments: tuple[str, ...]) -> str:
    try:
        return subprocess.run([path, *arguments], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise MeasureError(f"{Path(path).name} is installed but does not run: {error}") from None


def version(name: str) -> str:
    """Name and version of an installed compiler, such as ``gcc 12.2.1`` or ``clang (zig 0.17.0)``."""
    number = _version_of(str(COMPILERS[name].locate()), COMPILERS[name].version)
    return f"clang (zig {number})" if name == "clang" else f"{name} {number}"


def flags(core: Core, name: str, functions: Sequence[str]) -> list[str]:
    """The compiler's options; each function is a root, and the linker drops everything that no root reaches."""
    roots = [f"-Wl,-e,{functions[0]}", *(f"-Wl,-u,{function}" for function in functions)]
    return [*core.flags[name], *COMPILERS[name].flags, "-Wl,-T,link.ld", "-Wl,--gc-sections", *roots]


def build(
    files: Mapping[str, str], functions: Sequence[str], core: Core, name: str, *, libraries: Sequence[str] = ()
) -> Built:
    """Compile and link the ``.c`` files, with all other files in the same folder; call ``check`` first.

    ``libraries``: options such as ``-lm``, for libraries linked before the compiler's own.
    """
    sources = sorted(file for file in files if file.endswith(".c"))
    if not sources:
        raise MeasureError(f"no file ends in .c; got {', '.join(sorted(files)) or 'none'}")
    with tempfile.TemporaryDirectory(prefix="neuraltree-") as folder:
        for file, text in {**files, "link.ld": SCRIPT}.items():
            (Path(folder) / file).write_text(text, encoding="utf-8", newline="\n")
        compiler = COMPILERS[name]
        options = flags(core, name, functions)
        end = ["-o", "image.elf", *libraries, *compiler.libraries]
        _run([str(compiler.locate()), *compiler.start, *options, *sources, *end], folder, keeps_library=name == "clang")
        return read_image(Path(folder) / "image.elf", functions)


def _run(command: list[str], folder: str, *, keeps_library: bool) -> None:
    """Run a compiler. If it builds its library itself and the kept library may be damaged, build the library anew."""
    failure = _failure(command, folder, compiler_folder())
    if failure is None:
        return
    suspect = keeps_library and not OF_SOURCE.search(failure)
    if suspect and renew_compiler_folder(lambda library: _failure(command, folder, library) is None):
        return
    raise MeasureError(f"{Path(command[0]).name} {failure}")


def _failure(command: list[str], folder: str, library: Path) -> str | None:
    """Run a compiler that keeps its library in a folder; returns a description of its failure, None if it succeeds."""
    # The local cache is deleted with the folder; the global cache keeps compiler-rt, built once per core, and may be
    # shared.
    zig = {"ZIG_GLOBAL_CACHE_DIR": str(library), "ZIG_LOCAL_CACHE_DIR": str(Path(folder) / "zig")}
    environment = {**os.environ, **zig, "LC_ALL": "C"}
    # The compiler gets a session of its own, so that Ctrl-C reaches only the measuring program, which then stops it.
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        errors="replace", start_new_session=True,
    ) as compiler:  # fmt: skip
        try:
            _, errors = compiler.communicate(timeout=LIMIT_S)
        except BaseException as error:
            os.killpg(compiler.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise MeasureError(f"{Path(command[0]).name} did not finish in {LIMIT_S:.0f} s") from None
            raise
    if compiler.returncode < 0:
        return f"crashed by {signal.Signals(-compiler.returncode).name}: {_first_error(errors)}"
    return f"failed with code {compiler.returncode}: {_first_error(errors)}" if compiler.returncode else None


def _first_error(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    marked = (line for line in lines if any(mark in line for mark in ("error:", "undefined reference", "overflowed")))
    return next(marked, lines[0] if lines else "without a message")
