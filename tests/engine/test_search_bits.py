"""A whole search gives the same bits, whatever instructions the kernel and the libraries use."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from neuraltree.engine.lowering import engine_name

CONFIG = """
[data]
source = "breast_cancer"
[search]
population = 16
generations = 3
objectives = ["log_loss", "latency_s", "flash_bytes"]
[baselines]
models = []
[hardware]
device = "cortex-m4f"
"""
FILES = ("archive.npz", "live.csv", "models/000.json")


def dispatched() -> list[str]:
    """The instructions that NumPy chooses when it is loaded, besides those that it was compiled for."""
    found = np.show_config(mode="dicts")["SIMD Extensions"]  # type: ignore[call-overload]
    return found.get("found", [])


@pytest.mark.rare
@pytest.mark.skipif(engine_name() not in ("kernel avx2", "kernel avx512"), reason="needs the kernel on an x86-64")
def test_older_instructions_give_the_same_front(tmp_path: Path) -> None:
    config = tmp_path / "small.toml"
    config.write_text(CONFIG)
    older = {
        "NEURALTREE_ENGINE": "avx2",
        "NPY_DISABLE_CPU_FEATURES": " ".join(dispatched()),
        "OPENBLAS_CORETYPE": "Haswell",
    }
    for name, changed in {"best": {}, "older": older}.items():
        command = [sys.executable, "-m", "search.run", str(config), "--out", str(tmp_path / name), "--quiet"]
        subprocess.run(command, env=os.environ | changed, check=True, timeout=120)
    texts = [(tmp_path / name / "front.csv").read_text() for name in ("best", "older")]
    best, old = (list(csv.DictReader(text.splitlines())) for text in texts)
    for ours, theirs in zip(best, old, strict=True):
        # A finished model is scored on test rows by NumPy's own functions.
        tests = float(ours.pop("test_error")), float(theirs.pop("test_error"))
        assert ours == theirs
        assert tests[0] == pytest.approx(tests[1], rel=1e-12)
    for file in FILES:
        assert (tmp_path / "best" / file).read_bytes() == (tmp_path / "older" / file).read_bytes(), file
