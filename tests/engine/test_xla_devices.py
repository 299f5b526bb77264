"""XLA trains the parts of a population on all devices that JAX has, with the bits of one device."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

DEVICES = 4
# JAX makes several devices of one processor if it is asked to before it starts.
SEARCH = """
import hashlib, jax
from search.engine.evaluate import evaluate
from tests.helpers.executor_runs import context
from neuraltree.engine.xla import compiled
from dataclasses import replace
import numpy as np
found = context()
problem = replace(found.setup.problem, workers=4)
trees = [found.setup.strategy.new_tree(np.random.default_rng(i)) for i in range(16)]
result = evaluate(problem, trees, 0)
whole = b"".join(tree.tobytes() for tree in result.trees) + result.columns["val_error"].tobytes()
used = {str(key[0]) for key in compiled._programs}
print(hashlib.sha256(whole).hexdigest(), len(used), len(jax.local_devices()))
"""


def searched(devices: int) -> list[str]:
    """The digest of trained trees, the devices that were used, and those that there are."""
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={devices}"
    done = subprocess.run(
        [sys.executable, "-c", SEARCH],
        env=os.environ | {"XLA_FLAGS": flags, "NEURALTREE_ENGINE": "xla", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.rare
def test_a_population_is_spread_over_all_devices_with_the_same_bits() -> None:
    one, used_of_one, _ = searched(1)
    several, used, there = searched(DEVICES)
    assert (used_of_one, used, there) == ("1", str(DEVICES), str(DEVICES))
    assert several == one
