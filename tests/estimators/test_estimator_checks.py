"""scikit-learn's own checks: all pass for every public estimator, none is skipped or expected to fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import neuraltree

ESTIMATORS = [name for name in neuraltree.__all__ if name.endswith(("Classifier", "Regressor"))]


def test_there_are_four_estimators() -> None:
    assert len(ESTIMATORS) == 4


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.rare] * name.startswith("Pareto")) for name in ESTIMATORS]
)
def test_every_check_passes(name: str) -> None:
    # Without SCIPY_ARRAY_API, which SciPy reads when it is imported, one check is skipped.
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.helpers.estimator_checks", name],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout.splitlines()[-1])
    assert [result for result in results if result[1] != "passed"] == []
    assert len(results) >= 55
