"""The builds of C code: a compiler and how much it optimises, one row each. Its name labels the costs."""

from __future__ import annotations

from typing import Literal, NamedTuple

CompilerName = Literal["clang", "gcc"]
BuildName = Literal["clang", "gcc", "clang-Os", "clang-O3", "gcc-Os", "gcc-O3"]


class Build(NamedTuple):
    """``compiler``: another program for each family of cores, see ``hardware.compilers``; ``flags``: its options."""

    compiler: CompilerName
    flags: tuple[str, ...]


# zig turns -O3 into -O2, so its clang is told behind zig's back; with -Os and without -g it strips all symbols.
BUILDS: dict[str, Build] = {
    "clang": Build("clang", ("-O2",)),
    "gcc": Build("gcc", ("-O2",)),
    "clang-Os": Build("clang", ("-Os", "-g")),
    "clang-O3": Build("clang", ("-O3", "-Xclang", "-O3")),
    "gcc-Os": Build("gcc", ("-Os",)),
    "gcc-O3": Build("gcc", ("-O3",)),
}
BUILD_NAMES: tuple[str, ...] = tuple(BUILDS)
