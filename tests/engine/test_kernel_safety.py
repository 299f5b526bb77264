"""Malformed jobs are refused: nothing that reaches the kernel makes it read or write outside its arrays."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from neuraltree.engine.kernel.binding import PRECISIONS, Missing, load
from neuraltree.engine.kernel.source import LOSS_CODES, VARIANTS
from tests.helpers.kernel_fuzz import corrupted, wanted_status
from tests.helpers.kernel_jobs import STATUS, Work, compile_driver, run_driver, work
from tools.kernel_build import family, system_compilers, works

ROOT = Path(__file__).parents[2]
FUNCTIONS = ("train", "predict", "slopes", "pullback")
SANITIZERS = ("-O0", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


@cache
def malformed() -> list[Work]:
    """Jobs that are mostly wrong in one place, for all functions, losses and precisions."""
    rng = np.random.default_rng(1)
    right = [
        work(name, precision, loss, epochs=1) for name in FUNCTIONS for precision in PRECISIONS for loss in LOSS_CODES
    ]
    return [*right, *(corrupted(rng, right[i % len(right)]) for i in range(800))]


def test_wrong_arguments_are_refused_and_crash_nothing() -> None:
    if isinstance(kernel := load(), Missing):
        pytest.skip(kernel.reason)
    command = [sys.executable, "-m", "tests.helpers.kernel_fuzz"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def sanitized(folder: Path) -> Path:
    kernel = load()
    flags = () if isinstance(kernel, Missing) else VARIANTS[family()][kernel.variant]
    able = [compiler for compiler in system_compilers() if works((*compiler, *SANITIZERS))]
    if not able:
        pytest.skip("no system compiler has the sanitizers")
    return compile_driver(folder, able[0], [*flags, *SANITIZERS])


@pytest.mark.rare
def test_the_kernel_judges_as_a_plain_recursion_does_under_sanitizers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASAN_OPTIONS", "detect_leaks=0")  # containers often forbid what its search for leaks needs
    found = [outcome.status for outcome in run_driver([sanitized(tmp_path)], malformed())]
    wanted = [wanted_status(each) for each in malformed()]
    assert [i for i in range(len(found)) if found[i] != wanted[i]] == []
    assert min(Counter(found)[status] for status in STATUS.values()) > 50
