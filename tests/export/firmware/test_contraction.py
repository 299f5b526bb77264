"""Products are not fused with sums, whatever the dialect of C, so results and costs do not depend on it."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from neuraltree.export import export_c
from neuraltree.export.c.training.on_device import export_training
from tests.helpers.cross_compilers import COMPILERS, STRICT, need
from tests.helpers.random_models import random_model

TREE = random_model(304, "multiclass", "identity", 3)
SOURCES = {
    "straight": export_c(TREE, precision="float32", style="straight"),
    "table": export_c(TREE, precision="float32", style="table"),
    "integers": export_c(TREE, precision="int8", style="straight"),
    "training": export_training(TREE, "model"),
}
FUSING = {name: COMPILERS[name] for name in ("gcc, M4F", "clang, M4F")} | {"here": ("cc", "-mfma")}
PINNED = re.compile(r"#pragma (STDC FP_CONTRACT|GCC optimize).*")


def code_of(folder: Path, text: str, command: tuple[str, ...], *options: str) -> list[tuple[str, bytes]]:
    """Name and bytes of every section with code."""
    elffile = pytest.importorskip("elftools.elf.elffile", reason="reading ELF needs pyelftools")
    (folder / "model.c").write_text(text)
    done = subprocess.run(
        [*command, *STRICT, "-Wno-unused-command-line-argument", *options, "-c", "model.c", "-o", "model.o"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[:2000]
    with (folder / "model.o").open("rb") as stream:
        parts = [part for part in elffile.ELFFile(stream).iter_sections() if part.name.startswith(".text")]
        return [(part.name, part.data()) for part in parts]


@pytest.mark.parametrize("level", ["-O2", "-Os"])
@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("compiler", FUSING)
def test_every_dialect_gives_the_same_instructions(compiler: str, kind: str, level: str, tmp_path: Path) -> None:
    if compiler == "here" and (platform.machine() not in ("x86_64", "AMD64") or shutil.which("cc") is None):
        pytest.skip("no compiler of this machine that fuses: needs cc for x86-64")
    if compiler in COMPILERS:
        need(compiler)
    command = tuple(part for part in FUSING[compiler] if not part.startswith(("-Wl,", "--specs", "-nostartfiles")))
    for name, text in SOURCES[kind].items():
        if name.endswith(".h"):
            (tmp_path / Path(name).name).write_text(text)
    source = next(text for name, text in SOURCES[kind].items() if re.fullmatch(r"model(_train)?\.c", name))
    wanted = code_of(tmp_path, source, command, level, "-std=c99")
    for dialect in ("-std=gnu11", "-std=c11", "-std=gnu99"):
        assert code_of(tmp_path, source, command, level, dialect) == wanted, dialect
    assert code_of(tmp_path, source, command, level, "-std=c99", "-ffp-contract=on") == wanted
    if compiler != "clang, M4F" and kind != "integers":  # clang fuses nothing on this core
        free = code_of(tmp_path, PINNED.sub("", source), command, level, "-std=gnu11")
        assert free != wanted, "without the pragma this compiler fuses"
