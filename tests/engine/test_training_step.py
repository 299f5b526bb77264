"""One step, two drivers: an epoch of a generation and an epoch of one tree move the weights by the same bits."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltree.engine.epochs import shape_for, train_epochs
from neuraltree.engine.forest import load_params, store_params
from neuraltree.engine.packing import pack
from neuraltree.engine.train import fit, make_schedule
from neuraltree.engine.training_step import Settings, make_data
from neuraltree.estimators.covering import covering_tree
from neuraltree.tree.nodes import join
from neuraltree.tree.space import Space

SPACE = Space(3, 2, max_nodes=14, activations=("tanh", "gaussian"))
ROWS, EPOCHS, RATE = 80, 3, 0.05


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_both_drivers_take_the_same_steps(optimizer: str, precision: str) -> None:
    tree = covering_tree(np.random.default_rng(0), SPACE, size=8)
    rng = np.random.default_rng(1)
    x, y, weight = rng.normal(size=(ROWS, 3)), rng.normal(size=(ROWS, 2)), rng.uniform(0.5, 2, size=ROWS)
    shape = shape_for(tree, SPACE, [tree])
    settings = Settings("squared", optimizer, RATE, "constant", 32, precision)

    by_epochs = train_epochs(
        tree,
        shape,
        settings,
        inputs=x,
        targets=y,
        weight=weight,
        rates=[RATE] * EPOCHS,
        rng=np.random.default_rng(2),
    )
    nodes, starts = join([tree])
    (packed,) = pack(nodes, starts, shape)
    schedule = make_schedule(
        shape,
        settings,
        ROWS,
        fit_rows=np.arange(ROWS),
        validation_rows=np.zeros(0, np.int64),
        epochs=EPOCHS,
        limit=np.full(1, EPOCHS),
        patience=0,
        rng=np.random.default_rng(2),
    )
    wide = np.pad(x, [(0, 0), (0, shape.features - 3)])
    data = make_data(wide, y, weight, shape, precision)
    fitted = fit(shape, settings, packed.forest, load_params(packed, nodes, 0, precision), data, schedule)
    store_params(packed, nodes, 0, fitted.params)
    for name in ("weight", "bias"):
        np.testing.assert_allclose(nodes[name], by_epochs.nodes[name], rtol=1e-6 if precision == "float32" else 1e-14)
        assert not np.array_equal(nodes[name], tree[name])
