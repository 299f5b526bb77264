"""The kernel is compiled by what there is, put into the wheel, found by a checkout, and refused if it does not fit."""

from __future__ import annotations

import _ctypes
import ctypes
import importlib.util
import shutil
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuraltree.engine.kernel import binding, source
from neuraltree.engine.kernel.binding import Kernel, Missing, load, variants
from tests.helpers.kernel_jobs import run, work
from tools import kernel_build as build

ROOT = Path(__file__).parents[2]


def fresh() -> Kernel | Missing:
    """What a new process would load."""
    return load.__wrapped__()


def reason(found: Kernel | Missing) -> str:
    assert isinstance(found, Missing)
    return found.reason


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout's folder of the kernel, without a library, of a package that is not installed."""
    monkeypatch.setattr(binding, "FOLDER", tmp_path)
    monkeypatch.setattr(binding, "_installed", list)
    monkeypatch.delenv(binding.VARIABLE, raising=False)
    return tmp_path


@pytest.fixture
def compiled() -> Path:
    """A library that fits the sources; skips where there is none."""
    kernel = load()
    if isinstance(kernel, Missing):
        pytest.skip(kernel.reason)
    return Path(kernel.library._name)


def test_a_missing_library_is_one_clause(folder: Path) -> None:
    del folder
    assert reason(fresh()) == "the compiled kernel is missing"


def test_a_library_of_other_sources_is_refused(folder: Path, compiled: Path) -> None:
    stale = compiled.read_bytes().replace(source.digest().encode(), b"0" * 64)
    (folder / source.LIBRARY).write_bytes(stale)
    assert reason(fresh()) == "the compiled kernel was built from other sources than these"


def test_what_is_no_kernel_is_refused(folder: Path) -> None:
    (folder / source.LIBRARY).write_text("no library")
    assert reason(fresh()).startswith("the compiled kernel cannot be loaded (")
    (folder / source.LIBRARY).unlink()
    shutil.copy(_ctypes.__file__, folder / source.LIBRARY)
    assert reason(fresh()) == "the compiled kernel was built from other sources than these"


def test_a_checkout_finds_the_library_of_the_installed_package(
    folder: Path, compiled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del folder
    installed = types.SimpleNamespace(locate_file={f"neuraltree/engine/kernel/{source.LIBRARY}": compiled}.get)
    monkeypatch.undo()
    monkeypatch.setattr(binding, "FOLDER", compiled.parent / "nowhere")
    monkeypatch.setattr(binding, "distribution", lambda name: installed)
    assert isinstance(fresh(), Kernel)


def test_the_variable_names_a_variant(folder: Path, compiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(compiled, folder / source.LIBRARY)
    for name in variants(ctypes.CDLL(str(compiled))):
        monkeypatch.setenv(binding.VARIABLE, name)
        found = fresh()
        if isinstance(found, Missing):
            assert found.reason == f"this processor cannot run $NEURALTREE_ENGINE={name}"
        else:
            assert found.variant == name
    monkeypatch.setenv(binding.VARIABLE, "sse9")
    assert reason(fresh()).startswith("$NEURALTREE_ENGINE is 'sse9', none of xla, ")


@pytest.mark.skipif(build.family() not in source.VARIANTS, reason="the kernel has no code for this processor")
def test_the_library_that_a_compiler_makes_runs(folder: Path) -> None:
    able = next(filter(build.works, build.compilers()), None)
    if able is None:
        pytest.skip("there is no C compiler and no ziglang")
    build.compile_kernel(folder / source.LIBRARY, able, build.family(), ["-O0"])
    found = fresh()
    if isinstance(found, Missing):
        pytest.skip(found.reason)  # a processor without AVX2
    given = work("predict")
    outcome = run(found.library, given)
    assert outcome.status == 0
    assert np.isfinite(np.frombuffer(outcome.arrays["found"], np.float32)).all()


def test_compilers_are_tried_in_order_and_may_have_arguments(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("gcc", "clang", "ccache"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CC", "ccache gcc -m64")
    assert build.system_compilers() == [("ccache", "gcc", "-m64"), ("gcc",), ("clang",)]
    monkeypatch.setenv("CC", "not-there")
    assert build.system_compilers() == [("gcc",), ("clang",)]
    assert not build.works(("not-there",))
    assert not build.works((sys.executable, "-c", "raise SystemExit(1)"))


def test_a_build_that_fails_says_what_was_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(build, "family", lambda: "x86_64")
    monkeypatch.setattr(build, "compilers", lambda target: [])
    with pytest.raises(build.BuildError, match="no C compiler"):
        build.build(tmp_path / "made")
    monkeypatch.setattr(build, "compilers", lambda target: [(sys.executable, "-c", "raise SystemExit('no space')")])
    with pytest.raises(build.BuildError, match=r"raise SystemExit.*: no space"):
        build.build(tmp_path / "made")
    with pytest.raises(build.BuildError, match="no code for riscv64 processors, only for x86_64, aarch64"):
        build.build(tmp_path / "made", "riscv64-linux-gnu")
    assert not (tmp_path / "made").exists()


TAGS = {
    "x86_64-linux-gnu.2.17": "manylinux_2_17_x86_64",
    "aarch64-linux-gnu.2.17": "manylinux_2_17_aarch64",
    "aarch64-linux-musl": "musllinux_1_2_aarch64",
    "aarch64-macos.11.0": "macosx_11_0_arm64",
    "x86_64-macos.11.0": "macosx_11_0_x86_64",
    "x86_64-windows-gnu": "win_amd64",
}


@pytest.mark.parametrize(("target", "tag"), TAGS.items())
def test_a_wheel_made_by_zig_names_the_systems_it_runs_on(target: str, tag: str) -> None:
    assert build.wheel_platform(["zig", "cc", "-target", target]) == tag


def test_zig_never_compiles_for_this_very_processor() -> None:
    assert build.zig_target("aarch64-linux-gnu") == "aarch64-linux-gnu.2.17"
    assert build.zig_target("aarch64-linux-musl") == "aarch64-linux-musl"
    assert build.zig_target().startswith(f"{build.family()}-")


class HookInterface:
    """The part of hatchling's class that the hook uses; hatchling is there while a wheel is built only."""

    def __init__(self, root: Path) -> None:
        self.root, self.warnings = str(root), list[str]()
        self.app = types.SimpleNamespace(display_warning=self.warnings.append)


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Any:
    parts = ["hatchling", "builders", "hooks", "plugin", "interface"]
    for end in range(1, len(parts) + 1):
        module = types.ModuleType(".".join(parts[:end]))
        module.__dict__["BuildHookInterface"] = HookInterface
        monkeypatch.setitem(sys.modules, module.__name__, module)
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delenv(module.VARIABLE, raising=False)
    return module.KernelHook(ROOT)


def test_zig_is_fetched_only_where_it_is_needed(hook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    zig = ["ziglang>=0.15,<0.18"]
    monkeypatch.setattr(build, "family", lambda: "x86_64")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(build, "system_compilers", lambda: [("broken",), ("good",)])
    monkeypatch.setattr(build, "works", lambda compiler: compiler == ("good",))
    assert hook.dependencies() == []
    monkeypatch.setenv("NEURALTREE_BUILD_TARGET", "aarch64-linux-gnu")
    assert hook.dependencies() == zig
    monkeypatch.delenv("NEURALTREE_BUILD_TARGET")
    monkeypatch.setattr(build, "system_compilers", lambda: [("broken",)])
    assert hook.dependencies() == zig
    monkeypatch.setenv("NEURALTREE_BUILD_TARGET", "none")
    assert hook.dependencies() == []
    monkeypatch.delenv("NEURALTREE_BUILD_TARGET")
    monkeypatch.setattr(build, "family", lambda: "riscv64")
    assert hook.dependencies() == []


def built(hook: Any, version: str = "standard") -> dict[str, Any]:
    data: dict[str, Any] = {"force_include": {}, "pure_python": True}
    hook.initialize(version, data)
    hook.finalize(version, data, "")
    return data


def test_the_wheel_holds_the_library_and_names_its_platform(hook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[Path, str]] = []

    def compile_kernel(place: Path, target: str) -> tuple[str, ...]:
        made.append((place, target))
        return ("zig", "cc", "-target", "aarch64-linux-gnu.2.17")

    monkeypatch.setattr(build, "build", compile_kernel)
    monkeypatch.setenv("NEURALTREE_BUILD_TARGET", "aarch64-linux-gnu")
    data = built(hook)
    assert made[0][1] == "aarch64-linux-gnu"
    assert data["force_include"] == {str(made[0][0]): f"neuraltree/engine/kernel/{source.LIBRARY}"}
    assert (data["tag"], data["pure_python"]) == ("py3-none-manylinux_2_17_aarch64", False)
    assert built(hook, "editable") == {"force_include": {}, "pure_python": True}
    assert made[1] == (ROOT / "neuraltree" / "engine" / "kernel" / source.LIBRARY, "")


def test_without_a_compiler_the_wheel_is_pure(hook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(place: Path, target: str) -> None:
        raise build.BuildError("no compiler")

    monkeypatch.setattr(build, "build", fail)
    assert built(hook) == {"force_include": {}, "pure_python": True}
    assert hook.warnings == ["neuraltree is installed without its compiled kernel: no compiler"]
    monkeypatch.setenv("NEURALTREE_BUILD_TARGET", "none")
    assert built(hook) == {"force_include": {}, "pure_python": True}
    monkeypatch.setenv("NEURALTREE_BUILD_TARGET", "aarch64-linux-gnu")
    with pytest.raises(SystemExit, match="cannot be built for aarch64-linux-gnu: no compiler"):
        built(hook)
