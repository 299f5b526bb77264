"""C of both halves in sequence gives the bits of the whole tree, under sanitizers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from neuraltree.compress import quantize_tree
from neuraltree.export.c.two_devices.split_library import export_split, halves_of
from neuraltree.tree.tree import Tree
from tests.export.integers.test_cascade_c import compiled
from tests.export.integers.test_integer_c import needs_compiler
from tests.helpers.random_models import KINDS, random_model, raw_inputs, regression

MAIN = """#include <stdio.h>
#include "two.h"
int main(void)
{
    float x[@WIDTH@];
    while (fread(x, sizeof x[0], @WIDTH@, stdin) == @WIDTH@) {
        const double found = (double)two_predict(x);
        fwrite(&found, sizeof found, 1, stdout);
    }
    return 0;
}
"""


def used_by(tree: Tree) -> list[int]:
    """The features that the tree reads in integers."""
    found: list[int] = quantize_tree(tree).inputs.features.tolist()
    return found


SOURCES = ("two.c", "two_node.c", "two_gateway.c")
TREES = [random_model(seed + 6 * i, *kind) for seed, kind in enumerate(KINDS) for i in range(20)]
TREES = [tree for tree in TREES if len(used_by(tree)) > 2]
CHOSEN = [tree for kind in KINDS for tree in [t for t in TREES if (t.kind, t.output_activation) == kind[:2]][:2]]


@needs_compiler
@pytest.mark.parametrize("place", range(len(CHOSEN)))
def test_halves_give_the_bits_of_the_whole(place: int, tmp_path: Path) -> None:
    tree = CHOSEN[place]
    used = used_by(tree)
    halves = halves_of(tree, [tree.features[i] for i in used[: len(used) // 2]])
    X = raw_inputs(tree, 5000)
    files = export_split(halves, "two")
    files["main.c"] = MAIN.replace("@WIDTH@", str(X.shape[1]))
    done = subprocess.run([compiled(tmp_path, files, "main.c", *SOURCES)], input=X.tobytes(), capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    found = np.frombuffer(done.stdout)
    codes = halves.whole.predict_q(halves.whole.quantize(X))
    wanted = halves.whole.outputs.values(codes) if tree.classes is None else codes
    assert np.array_equal(found, wanted.astype(np.float64))
    checked = subprocess.run([compiled(tmp_path, files, *SOURCES, "test/two_test.c")], capture_output=True)
    assert checked.returncode == 0, checked.stdout


def test_what_is_not_split() -> None:
    with pytest.raises(ValueError, match="no input of the gateway"):
        halves_of(regression([(0, -6, 0.0, 0.0), (1, 0, 1.0, 0.0)]), ["x0"])
    with pytest.raises(ValueError, match="no input of the model: speed; it has: x0"):
        halves_of(regression([(0, -6, 0.0, 0.0), (1, 0, 1.0, 0.0)]), ["x0", "speed"])
