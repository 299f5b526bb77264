"""Compilers: which are installed, their versions, and the image that each makes from a set of C files."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from neuraltree.compress.builds import BUILDS
from neuraltree.hardware.compilers import COMPILERS, INSTALL, Compiler
from neuraltree.hardware.measure.cores import CORES, Core, MeasureError
from neuraltree.hardware.measure.folders import run_compiler
from neuraltree.hardware.measure.image import SCRIPT, Built, read_image

PARTS = ("unicorn", "capstone", "elftools")

# Both compilers keep their default for fusing a*b + c under -std=c99: clang fuses inside an expression, gcc does not.
COMMON = ("-ffreestanding", "-ffunction-sections", "-fdata-sections")
# gcc's defaults, which clang (above all zig's) does not share: no frame pointers, no unwind tables.
PLAIN = ("-fomit-frame-pointer", "-fno-unwind-tables", "-fno-asynchronous-unwind-tables")
SIMULATORS = {"avr": "simavr"}  # programs that run a family of cores; unicorn runs the others


def available_compilers() -> dict[str, tuple[str, ...]]:
    """The builds that can be measured here, each with the cores for which it builds; starts no process."""
    found = {name: tuple(core.name for core in CORES.values() if _lack(core, name) is None) for name in BUILDS}
    return {name: cores for name, cores in found.items() if cores}


def compiler_of(core: Core, build: str) -> Compiler:
    """The compiler that makes a build for a core; ``MeasureError`` if there is none."""
    names = [name for name, row in BUILDS.items() if row.compiler in core.flags]
    if build not in BUILDS:
        raise MeasureError(f"unknown compiler {build!r}; allowed: {', '.join(BUILDS)}")
    if build not in names:
        raise MeasureError(f"{build} does not build for {core.name}; allowed: {', '.join(names)}")
    return COMPILERS[BUILDS[build].compiler, core.family]


def check(core: Core, build: str) -> None:
    """``MeasureError`` if the build is unknown, its compiler cannot build for the core, or something is not
    installed."""
    compiler_of(core, build)
    if lack := _lack(core, build):
        raise MeasureError(lack)


def _lack(core: Core, build: str) -> str | None:
    """What a measurement lacks here, None if nothing."""
    if BUILDS[build].compiler not in core.flags:
        return f"{build} does not build for {core.name}"
    for part in PARTS:
        if find_spec(part) is None:
            return f"measuring needs the package {part}: {INSTALL}"
    compiler, simulator = compiler_of(core, build), SIMULATORS.get(core.family)
    if compiler.locate() is None:
        return f"the compiler {build} is not here: {compiler.advice}"
    if simulator and shutil.which(simulator) is None:
        return f"measuring on {core.name} needs {simulator}: install it (Debian: {simulator})"
    return None


@cache
def _version_of(path: str, arguments: tuple[str, ...]) -> str:
    try:
        return subprocess.run([path, *arguments], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise MeasureError(f"{Path(path).name} is installed but does not run: {error}") from None


def version(core: Core, build: str) -> str:
    """Name and version of an installed compiler, such as ``gcc 12.2.1`` or ``clang (zig 0.17.0)``."""
    compiler, name = compiler_of(core, build), BUILDS[build].compiler
    number = _version_of(str(compiler.locate()), compiler.version)
    return f"clang (zig {number})" if name == "clang" else f"{name} {number}"


def compiling(core: Core, build: str) -> list[str]:
    """The compiler's options for one C file."""
    row = BUILDS[build]
    return [*core.flags[row.compiler], "-std=c99", *row.flags, *COMMON, *PLAIN]


def flags(core: Core, build: str, functions: Sequence[str]) -> list[str]:
    """The compiler's options; each function is a root, and the linker drops everything that no root reaches."""
    roots = [f"-Wl,-e,{functions[0]}", *(f"-Wl,-u,{function}" for function in functions)]
    return [*compiling(core, build), *compiler_of(core, build).flags, "-Wl,--gc-sections", *roots]


@contextmanager
def folder_of(files: Mapping[str, str]) -> Iterator[Path]:
    """A folder with the files and the linker script, for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="neuraltree-") as folder:
        put(Path(folder), {**files, "link.ld": SCRIPT})
        yield Path(folder)


def put(folder: Path, files: Mapping[str, str]) -> None:
    """Write files of text into a folder of ``folder_of``."""
    for file, text in files.items():
        (folder / file).write_text(text, encoding="utf-8", newline="\n")


def sources_of(files: Mapping[str, str]) -> list[str]:
    """The names of the C files; ``MeasureError`` if there are none."""
    sources = sorted(file for file in files if file.endswith(".c"))
    if not sources:
        raise MeasureError(f"no file ends in .c; got {', '.join(sorted(files)) or 'none'}")
    return sources


def build(
    files: Mapping[str, str], functions: Sequence[str], core: Core, build: str, *, libraries: Sequence[str] = ()
) -> Built:
    """Compile and link the ``.c`` files, with all other files in the same folder; call ``check`` first.

    ``libraries``: options such as ``-lm``, for libraries linked before the compiler's own.
    """
    sources, own = sources_of(files), compiler_of(core, build).files
    with folder_of({**files, **own}) as folder:
        return linked(folder, [*sources, *own], functions, core, build, libraries=libraries)


def linked(
    folder: Path, parts: Sequence[str], functions: Sequence[str], core: Core, build: str, *, libraries: Sequence[str]
) -> Built:
    """The image of the C or object files ``parts`` in the folder."""
    options, ending = flags(core, build, functions), compiler_of(core, build).libraries
    compile_in(folder, core, build, [*options, *parts, "-o", "image.elf", *libraries, *ending])
    return read_image(folder / "image.elf", functions)


def compile_in(folder: Path, core: Core, build: str, arguments: Sequence[str]) -> None:
    """Run the compiler of a build in a folder; ``MeasureError`` with its first error."""
    compiler = compiler_of(core, build)
    command = [str(compiler.locate()), *compiler.start, *arguments]
    run_compiler(command, str(folder), keeps_library=BUILDS[build].compiler == "clang")
