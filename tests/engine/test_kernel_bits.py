"""The same bits everywhere: from every variant of the kernel, other compilers, other vectors, and an ARM."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from neuraltree.engine.kernel.binding import PRECISIONS, Kernel, load, use
from neuraltree.engine.kernel.source import LOSS_CODES, OPTIMIZER_CODES, VARIANTS
from tests.helpers.kernel_jobs import (
    BARE,
    FOLDS,
    STATUS,
    Outcome,
    Work,
    compile_driver,
    population,
    run,
    run_driver,
    wide_trees,
    work,
)
from tools.kernel_build import family

ZIG = (sys.executable, "-m", "ziglang", "cc")
WIDE = Path(__file__).parents[1] / "helpers" / "wide_vectors.h"  # AVX-512 for processors that lack it
QEMU = shutil.which("qemu-aarch64-static") or shutil.which("qemu-aarch64")


@cache
def works() -> list[Work]:
    """Trainings with every optimiser, loss and precision, in batches of less and more than a block; and the rest."""
    options = product(PRECISIONS, LOSS_CODES, OPTIMIZER_CODES, (10, 50, 64, 100))
    trainings = [work("train", *option, fold=i % FOLDS) for i, option in enumerate(options)]
    broken = [work("train", precision, "squared", "sgd", rate=1e6) for precision in PRECISIONS]
    judged = [work("train", "float32", loss, judge="error_rate") for loss in LOSS_CODES]
    soft = [
        work(name, precision, loss, temperature=3.0, make=make)
        for name, precision, loss, make in product(
            ("train", "slopes"), PRECISIONS, ("softmax", "logistic"), (population, wide_trees)
        )
    ]
    others = list(product(("predict", "slopes", "pullback"), PRECISIONS, LOSS_CODES))
    wide = [work(*other, make=wide_trees) for other in [*others, *product(("train",), PRECISIONS, LOSS_CODES)]]
    return [*trainings, *broken, *judged, *soft, *(work(*other) for other in others), *wide]


@cache
def reference() -> list[Outcome]:
    """What the best variant of the library makes of them."""
    return outcomes(library(), "")


def library() -> Any:
    kernel = load()
    if not isinstance(kernel, Kernel):
        pytest.skip(kernel.reason)
    return kernel.library


def outcomes(library: Any, variant: str) -> list[Outcome]:
    if not use(library, variant):
        pytest.skip(f"this processor cannot run {variant}")
    return [run(library, each) for each in works()]


@pytest.fixture(autouse=True)
def _best_variant() -> Iterator[None]:
    yield
    if isinstance(kernel := load(), Kernel):
        use(kernel.library, kernel.variant)


def check_same(found: list[Outcome]) -> None:
    for given, wanted, got in zip(works(), reference(), found, strict=True):
        differing = [name for name in wanted.arrays if wanted.arrays[name] != got.arrays[name]]
        assert (got.status, differing) == (wanted.status, []), (given.function, given.precision, given.sizes)


def test_the_jobs_are_done_and_change_what_they_should() -> None:
    for given, outcome in zip(works(), reference(), strict=True):
        changed = {name for name, array in given.arrays.items() if array.tobytes() != outcome.arrays[name]}
        made = {
            "train": {"param", "best"},
            "predict": {"found"},
            "slopes": {"slopes"},
            "pullback": {"first", "by_input"},
        }
        assert outcome.status == STATUS["done"]
        assert changed >= made[given.function]
        assert not changed & {"size", "kind", "source", "inputs", "targets", "weight", "order", "rates"}


@pytest.mark.parametrize("variant", VARIANTS.get(family(), ()))
def test_every_variant_gives_the_same_bits(variant: str) -> None:
    check_same(outcomes(library(), variant))


def zig_driver(folder: Path, *flags: str) -> Path:
    if not importlib.util.find_spec("ziglang"):
        pytest.skip("ziglang is not installed")
    return compile_driver(folder, ZIG, [*flags, *BARE, "-O1"])


@pytest.mark.rare
@pytest.mark.skipif(family() != "x86_64" or sys.platform != "linux", reason="a program for x86-64 and Linux")
@pytest.mark.parametrize("flags", [("-mfma",), ("-mfma", "-mavx2", "-include", str(WIDE))], ids=["16", "64"])
def test_vectors_of_so_many_bytes_give_the_same_bits(flags: tuple[str, ...], tmp_path: Path) -> None:
    reference()
    check_same(run_driver([zig_driver(tmp_path, "-target", "x86_64-linux-musl", *flags)], works()))


@pytest.mark.rare
@pytest.mark.skipif(QEMU is None, reason="qemu-aarch64 is not installed (apt-get install qemu-user-static)")
def test_an_arm_gives_the_same_bits(tmp_path: Path) -> None:
    reference()
    assert QEMU is not None
    check_same(run_driver([QEMU, zig_driver(tmp_path, "-target", "aarch64-linux-musl")], works()))
