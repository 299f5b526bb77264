"""The Zephyr module: its metadata, a build with a stand-in for Zephyr's CMake package, and with Zephyr's flags.

Zephyr's own tree is not in a package index, so nothing here is built by Zephyr.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from neuraltree.export import export_c, export_zephyr
from tests.helpers.packages import MODELS, printed_by, save_files

STUB = Path(__file__).parents[2] / "helpers" / "zephyr_stub.cmake"
needs_cmake = pytest.mark.skipif(
    not all(map(shutil.which, ("cmake", "cc", "ninja"))), reason="no CMake, Ninja or C compiler on PATH"
)
# As Zephyr compiles C for an ARM core, and stricter.
FLAGS = ["-std=c11", "-ffreestanding", "-fno-common", "-Os", "-fno-strict-aliasing", "-ffunction-sections"]
STRICT = ["-Wall", "-Wextra", "-Wdouble-promotion", "-Wundef", "-Werror"]


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> str:
    return request.param


def test_the_module_names_what_is_there(model: str) -> None:
    tree, options = MODELS[model]
    files = export_zephyr(tree, model, **options)
    module = files["zephyr/module.yml"]
    assert re.search(rf"^name: neuraltree_{model}$", module, re.MULTILINE)
    assert re.search(r"^build:\n  cmake: \.\n  kconfig: Kconfig\nsamples:\n  - samples\n", module, re.MULTILINE)
    option = f"NEURALTREE_{model.upper()}"
    assert re.search(rf"^config {option}\n    bool ", files["Kconfig"], re.MULTILINE)
    assert ("imply FPU" in files["Kconfig"]) == (options.get("precision") != "int8")
    assert f"if(CONFIG_{option})" in files["CMakeLists.txt"]
    assert f"CONFIG_{option}=y" in files["samples/predict/prj.conf"]
    assert files == export_zephyr(tree, model, **options)


def test_it_has_the_sources_of_the_c_export(model: str) -> None:
    tree, options = MODELS[model]
    files, plain = export_zephyr(tree, "sensor", **options), export_c(tree, "sensor", **options)
    assert (files["src/sensor.c"], files["include/sensor.h"]) == (plain["sensor.c"], plain["sensor.h"])


def test_its_files_are_yaml(model: str) -> None:
    yaml = pytest.importorskip("yaml")
    tree, options = MODELS[model]
    files = export_zephyr(tree, model, **options)
    module = yaml.safe_load(files["zephyr/module.yml"])
    assert module == {
        "name": f"neuraltree_{model}",
        "build": {"cmake": ".", "kconfig": "Kconfig"},
        "samples": ["samples"],
    }
    assert set(yaml.safe_load(files["samples/predict/sample.yaml"])) == {"sample", "tests"}


def test_its_options_are_kconfig(model: str, tmp_path: Path) -> None:
    kconfiglib = pytest.importorskip("kconfiglib")
    tree, options = MODELS[model]
    folder = save_files(tmp_path, export_zephyr(tree, model, **options))
    found = kconfiglib.Kconfig(str(folder / "Kconfig"), warn=False)
    assert f"NEURALTREE_{model.upper()}" in found.syms


@needs_cmake
def test_the_sample_predicts(model: str, tmp_path: Path) -> None:
    tree, options = MODELS[model]
    sample = save_files(tmp_path / "module", export_zephyr(tree, model, **options)) / "samples" / "predict"
    found = build_and_run(sample, tmp_path)
    wanted = printed_by(tree, options, (sample / "src" / "main.c").read_text())
    if isinstance(wanted, float):
        assert float(found) == pytest.approx(wanted, rel=1e-5)
    else:
        assert found == wanted


def build_and_run(sample: Path, folder: Path) -> str:
    """What the sample prints, built for this machine."""
    stub = folder / "stub"
    (stub / "include" / "zephyr" / "sys").mkdir(parents=True)
    shutil.copy(STUB, stub / "ZephyrConfig.cmake")
    (stub / "include" / "zephyr" / "kernel.h").write_text("")
    (stub / "include" / "zephyr" / "sys" / "printk.h").write_text("#include <stdio.h>\n#define printk printf\n")
    options = [f"-DZephyr_DIR={stub}", f"-DCMAKE_C_FLAGS={' '.join(STRICT)}"]
    for command in (
        ["cmake", "-G", "Ninja", "-S", sample, "-B", folder / "build", *options],
        ["cmake", "--build", folder / "build"],
        [folder / "build" / "app"],
    ):
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout.removesuffix("\n")


@needs_cmake
def test_switched_off_the_module_adds_nothing(tmp_path: Path) -> None:
    tree, options = MODELS["floats"]
    files = export_zephyr(tree, "sensor", **options)
    files["samples/predict/prj.conf"] = ""
    with pytest.raises(AssertionError, match=r"sensor\.h"):
        build_and_run(save_files(tmp_path / "module", files) / "samples" / "predict", tmp_path)


@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="arm-none-eabi-gcc is not on PATH")
@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4"])
def test_the_sources_compile_with_zephyrs_flags(model: str, core: str, tmp_path: Path) -> None:
    tree, options = MODELS[model]
    folder = save_files(tmp_path, export_zephyr(tree, model, **options))
    command = ["arm-none-eabi-gcc", *FLAGS, *STRICT, "-mthumb", f"-mcpu={core}", "-I", str(folder / "include")]
    done = subprocess.run(
        [*command, "-c", str(folder / "src" / f"{model}.c"), "-o", str(tmp_path / "model.o")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
