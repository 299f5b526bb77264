"""The PlatformIO library: its manifest by the documented schema, and its example on an emulated ATmega328P."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from neuraltree.export import export_c, export_platformio
from tests.helpers import avr
from tests.helpers.packages import MODELS, printed_by, save_files

# From the documentation of library.json: fields and what their texts may hold.
NAME, VERSION = r"[^:;/,@<>]{1,100}", r"\d+\.\d+\.\d+"
KEYWORD, COMPATIBLE = r"[a-z\d_+. -]{1,50}", r"[a-z\d_-]+|\*"
FIELDS = {"name", "version", "description", "keywords", "frameworks", "platforms", "headers", "examples"}


@pytest.mark.parametrize("model", MODELS)
def test_the_manifest_is_as_documented(model: str, tmp_path: Path) -> None:
    tree, options = MODELS[model]
    files = export_platformio(tree, model, **options)
    manifest = json.loads(files["library.json"])
    assert set(manifest) == FIELDS
    assert re.fullmatch(NAME, manifest["name"])
    assert re.fullmatch(VERSION, manifest["version"])
    assert 1 <= len(manifest["description"]) <= 255
    assert all(re.fullmatch(KEYWORD, text) for text in manifest["keywords"])
    assert all(re.fullmatch(COMPATIBLE, text) for text in manifest["frameworks"] + manifest["platforms"])
    assert all(f"src/{header}" in files for header in manifest["headers"])
    for example in manifest["examples"]:
        assert all(f"{example['base']}/{file}" in files for file in example["files"])


def test_the_example_project_builds_the_library_that_it_lies_in(tmp_path: Path) -> None:
    tree, options = MODELS["floats"]
    folder = save_files(tmp_path, export_platformio(tree, "sensor", **options))
    project = folder / "examples" / "predict"
    config = configparser.ConfigParser()
    config.read(project / "platformio.ini")
    assert dict(config["env:uno"]) == {
        "platform": "atmelavr",
        "board": "uno",
        "framework": "arduino",
        "lib_deps": "sensor=symlink://../..",
    }
    assert (project / "../.." / "library.json").is_file()


def test_it_has_the_sources_of_the_c_export() -> None:
    tree, options = MODELS["integers"]
    files, plain = export_platformio(tree, "sensor", **options), export_c(tree, "sensor", **options)
    assert [files[f"src/{file}"] for file in ("sensor.c", "sensor.h")] == [plain["sensor.c"], plain["sensor.h"]]
    assert files == export_platformio(tree, "sensor", **options)


@pytest.mark.skipif(bool(avr.missing()), reason=f"no emulated Arduino board: {avr.missing()} is not here")
@pytest.mark.parametrize("model", ["floats", "integers"])
def test_the_example_predicts_on_the_board(model: str, tmp_path: Path) -> None:
    """With Arduino's core, but not by PlatformIO, which fetches its compilers from a registry of its own."""
    tree, options = MODELS[model]
    folder = save_files(tmp_path / "library", export_platformio(tree, model, **options))
    main = folder / "examples" / "predict" / "src" / "main.cpp"
    wanted = printed_by(tree, options, main.read_text())
    (tmp_path / "avr").mkdir()
    (found,) = avr.printed(avr.build(avr.core(tmp_path / "avr" / "core"), folder / "src", main), 1)
    assert (float(found) if isinstance(wanted, float) else found) == (
        pytest.approx(wanted, rel=1e-5) if isinstance(wanted, float) else wanted
    )


@pytest.mark.skipif(shutil.which("pio") is None, reason="no PlatformIO: pio is not on PATH")
def test_platformio_packs_the_library(tmp_path: Path) -> None:
    """Its own check of the manifest, which needs no network."""
    tree, options = MODELS["integers"]
    folder = save_files(tmp_path / "sensor", export_platformio(tree, "sensor", **options))
    done = subprocess.run(
        ["pio", "pkg", "pack", "-o", str(tmp_path / "sensor.tar.gz")],
        cwd=folder,
        env={**os.environ, "PLATFORMIO_CORE_DIR": str(tmp_path / "core")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with tarfile.open(tmp_path / "sensor.tar.gz") as packed:
        assert {"library.json", "src/sensor.c", "src/sensor.h"} <= set(packed.getnames())
