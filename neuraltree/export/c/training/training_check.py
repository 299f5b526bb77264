"""The program that checks exported training on the machine for which it is compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.export.c.parts import FLASH, array, literal
from neuraltree.export.c.training.device_step import places, scaler_of, step_with, target_scaler_of, training_step
from neuraltree.export.c.training.training_text import fill
from neuraltree.export.c.vector_program import SAY
from neuraltree.tree.tree import Tree
from neuraltree.updating.training_state import Live

ROUNDING = 2 * float(np.finfo(np.float32).eps)


def check_program(tree: Tree, name: str, live: Live | None = None) -> str:
    """A program that takes one step and compares every parameter; ``live`` (nodes,): the trained nodes, or all."""
    with np.errstate(all="ignore"):
        x, target, rate = _vector(tree, live)
        loss, trained = training_step(tree, x, target, rate, live)
        again, rough = step_with(tree, x, target, rate, ROUNDING, live)
    order = places(tree.nodes, live=live)
    expected, single = (np.array([t.nodes[field][node, 0] for field, node in order]) for t in (trained, rough))
    # Large weights magnify rounding; a step in single floats with slightly wrong inputs and slopes shows by how much.
    tolerance = 1e-6 * (1 + np.abs(expected)) + 8 * np.abs(single - expected)
    off = 1e-6 * (1 + loss) + 8 * abs(again - loss)
    largest = np.abs([*expected, *tolerance, off]).max()
    if not largest <= np.finfo(np.float32).max:
        raise ValueError("a training step of this tree is beyond single floats (3.4e38); train it with smaller weights")
    fields = {
        "PARAMETERS": len(order),
        "X": array("float", "nt_x", [literal(v) for v in x]),
        "EXPECTED": array("float", "nt_expected", [literal(v) for v in expected]),
        "TOLERANCE": array("float", "nt_tolerance", [literal(v) for v in tolerance]),
        "SAY": SAY,
        "FLASH": FLASH,
        "INPUTS": len(x),
        "Y": literal(target) if tree.classes is None else str(int(target)),
        "RATE": literal(rate),
        "LOSS": literal(loss),
        "LOSS_TOLERANCE": literal(off),
    }
    return fill(TEST, tree, name, **fields)


def _vector(tree: Tree, live: Live | None) -> tuple[NDArray[np.float32], float, float]:
    """Raw inputs, target and a rate at which no parameter moves by more than 1/8; all are exact in single floats.

    Of 8 rows it takes the one that moves the parameters most, so that not all relevant nodes are saturated.
    """
    Z = np.random.default_rng(0).normal(size=(8, len(tree.features)))
    X = scaler_of(tree).inverse(Z).astype(np.float32)
    if tree.classes is None:
        targets = tree.outputs(X)[:, 0] + target_scaler_of(tree).scale[0]  # off by one in standardised units
    else:
        targets = np.arange(len(X)) % len(tree.classes)
    targets = targets.astype(np.float32)
    moved = [_largest_change(tree, x, float(target), live) for x, target in zip(X, targets, strict=True)]
    row = int(np.argmax(moved))
    return X[row], float(targets[row]), float(np.float32(0.125 / max(moved[row], 1.0)))


def _largest_change(tree: Tree, x: NDArray, target: float, live: Live | None) -> float:
    """The largest change of any parameter in one step at a rate of 1."""
    trained = training_step(tree, x, target, 1.0, live)[1]
    return float(max(np.abs(trained.nodes[field] - tree.nodes[field]).max() for field in ("weight", "bias")))


TEST = """/* Compile and run: cc -std=c99 @NAME@_train.c test/@NAME@_train_test.c -o check && ./check */
#include <stdio.h>
#include <string.h>

#include "../@NAME@_train.h"

@SAY@
@FLASH@
@X@
/* The parameters after one step in double precision, and the tolerance for single floats. */
@EXPECTED@
@TOLERANCE@
static int nt_near(float found, float expected, float tolerance)
{
    return found - expected <= tolerance && expected - found <= tolerance;
}

int main(void)
{
    int i, wrong = 0;
    float loss, x[@INPUTS@];
    NT_COPY(x, nt_x, sizeof x);
    @NAME@_reset();
    loss = @NAME@_train(x, @Y@, @RATE@);
    if (!nt_near(loss, @LOSS@, @LOSS_TOLERANCE@)) {
        NT_SAY("loss: %.9g instead of %.9g\\n", (double)loss, (double)@LOSS@);
        ++wrong;
    }
    for (i = 0; i < @UPPER@_PARAMETERS; ++i) {
        const float wanted = NT_READ(float, float, nt_expected + i);
        if (!nt_near(@NAME@_parameters[i], wanted, NT_READ(float, float, nt_tolerance + i))) {
            NT_SAY("parameter %d: %.9g instead of %.9g\\n", i, (double)@NAME@_parameters[i], (double)wanted);
            ++wrong;
        }
    }
    NT_SAY("%d of @PARAMETERS@ parameters and the loss: %d wrong\\n", @PARAMETERS@, wrong);
    return wrong != 0;
}
"""
