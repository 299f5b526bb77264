"""The folder that a compiler keeps its library in, damaged: it is begun anew, unless the fault is elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from neuraltree.hardware.measure import toolchains
from neuraltree.hardware.measure.cores import CORES, MeasureError
from neuraltree.hardware.measure.folders import compiler_folder, run_compiler

# Instead of a compiler: it fails where its folder holds a damaged library, and otherwise leaves a good one.
COMPILER = """
import os, pathlib, signal, sys
library = pathlib.Path(os.environ["ZIG_GLOBAL_CACHE_DIR"]) / "library"
text = library.read_text() if library.exists() else "good"
with open("runs", "a") as runs:
    runs.write(text[:1])
if text == "crash":
    os.kill(os.getpid(), signal.SIGSEGV)
if text != "good":
    sys.exit("ld.lld: error: " + text)
library.write_text("good")
if fault := os.environ.get("FAULT"):
    sys.exit(fault)
"""
DAMAGES = ["crash", "libcompiler_rt.a: Archive::children failed: malformed", "undefined symbol: __aeabi_fmul"]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    compiler_folder.cache_clear()
    yield compiler_folder() / "library"
    compiler_folder.cache_clear()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    made = tmp_path / "work"
    made.mkdir()
    return made


def compile_in(folder: Path, keeps_library: bool = True) -> None:
    run_compiler([sys.executable, "-c", COMPILER], str(folder), keeps_library=keeps_library)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_library_is_made_anew(library: Path, work: Path, damage: str) -> None:
    library.write_text(damage)
    compile_in(work)
    assert library.read_text() == "good"
    assert [path.name for path in library.parent.parent.iterdir()] == ["zig"], "nothing of the damaged one is left"
    compile_in(work)
    assert (work / "runs").read_text().endswith("gg"), "the next one finds it good"


def test_threads_that_meet_it_at_once_make_it_anew_once(library: Path, tmp_path: Path) -> None:
    library.write_text("crash")
    folders = [tmp_path / str(i) for i in range(6)]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(len(folders)) as threads:
        list(threads.map(compile_in, folders))
    assert library.read_text() == "good"
    assert [path.name for path in library.parent.parent.iterdir()] == ["zig"]


@pytest.mark.parametrize(
    ("fault", "runs"),
    [
        ("model.c:1:5: error: expected ')'", 1),
        ("ld.lld: error: undefined symbol: mean", 1),
        ("ld.lld: error: section '.text' will not fit in region 'FLASH': overflowed by 4 bytes", 1),
        ("something else", 3),  # also with what another thread may have renewed, and with an empty folder
    ],
)
def test_a_fault_that_is_not_the_librarys_keeps_it(
    library: Path, work: Path, monkeypatch: pytest.MonkeyPatch, fault: str, runs: int
) -> None:
    library.write_text("good")
    age = library.stat().st_ino
    monkeypatch.setenv("FAULT", fault)
    with pytest.raises(MeasureError, match=" failed with code 1: ") as failed:
        compile_in(work)
    assert fault in str(failed.value)
    assert len((work / "runs").read_text()) == runs
    assert library.stat().st_ino == age
    assert [path.name for path in library.parent.parent.iterdir()] == ["zig"]


def test_a_compiler_that_keeps_none_is_run_once_and_its_crash_has_a_name(library: Path, work: Path) -> None:
    library.write_text("crash")
    with pytest.raises(MeasureError, match=r" crashed by SIGSEGV: without a message$"):
        compile_in(work, keeps_library=False)
    assert (work / "runs").read_text() == "c"


@pytest.mark.rare
def test_the_compiler_itself_gets_over_a_damaged_library(library: Path) -> None:
    pytest.importorskip("ziglang", reason="the compiler is not installed: pip install 'neuraltree[measure]'")
    files = {"m.c": "float f(float x) { return x * x / 3.0f; }"}
    whole = toolchains.build(files, ["f"], CORES["cortex-m3"], "clang")
    (kept,) = library.parent.rglob("libcompiler_rt.a")
    kept.write_bytes(kept.read_bytes()[:1000])
    assert toolchains.build(files, ["f"], CORES["cortex-m3"], "clang") == whole


def test_ctrl_c_is_one_though_the_compiler_ends_at_once(library: Path, tmp_path: Path) -> None:
    """A compiler that is done before it can be stopped must not turn an interrupt into an error."""
    command = ["sh", "-c", f"sleep 0.3; kill -INT {os.getpid()}"]
    with pytest.raises(KeyboardInterrupt):
        run_compiler(command, str(tmp_path), keeps_library=False)
