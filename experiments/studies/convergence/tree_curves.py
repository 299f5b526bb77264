"""The curves of the reference's trees, trained row by row as in the reference."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from experiments.studies.convergence.training_curves import Curve, score_of
from experiments.studies.reference.peeking import Run
from neuraltree.activations import code_of
from neuraltree.engine.forest import load_params, pack
from neuraltree.engine.lowering import lowering
from neuraltree.engine.training import Course, Data, Settings, make_data, shuffled
from neuraltree.tree.nodes import Nodes, count_weights

NOBODY = np.zeros(0, np.int32)


def with_activation(tree: Nodes, activation: str) -> Nodes:
    """The tree with one activation in all function nodes, outputs too: the reference's trees have but one."""
    nodes = tree.copy()
    nodes["op"][nodes["op"] < 0] = ~code_of(activation)
    return nodes


@np.errstate(all="ignore")
def tree_curve(run: Run, activation: str, optimizer: str, rate: float, epochs: int) -> Curve:
    """Half the squared error, one row per update, a constant rate. The loss and the score are those after an epoch."""
    nodes = with_activation(run.nodes, activation)
    packed = pack(nodes, np.array([0, len(nodes)]), run.inputs.shape[1])
    settings = Settings("squared", optimizer, rate, "constant", batch_size=1)
    rng, rows = np.random.default_rng(run.seed), len(run.inputs)
    data, test = _data(run), np.arange(rows, rows + len(run.truth), dtype=np.int32)
    every, always, engine = np.arange(rows, dtype=np.int32), np.ones(1), lowering()
    params, moments = load_params(packed, nodes, "float32")[0], list[NDArray]()
    loss, score, targets = np.full(epochs, np.inf), np.full(epochs, np.nan), data.targets.T.astype(np.float64)
    for epoch in range(epochs):
        course = Course(shuffled(every, settings, 1, rng), np.full(rows, rate), NOBODY, epochs=1)
        found = engine.train(packed.forest, settings, data, course, params, always, moments=moments)
        params, moments = found.last, found.moments
        said = engine.predict(packed.forest, settings, data, np.concatenate([every, test]), params)[0].astype(
            np.float64
        )
        apart = 0.5 * np.square(said[:, :rows] - targets[:, :rows]).sum(axis=0).mean()
        loss[epoch] = apart if np.isfinite(apart) else np.inf
        score[epoch] = score_of(said[:, rows:], targets[:, rows:], run.classes)
    return Curve(count_weights(nodes), loss, score)


def _data(run: Run) -> Data:
    """The training rows, then the test rows."""
    return make_data(np.concatenate([run.inputs, run.test_inputs]), all_targets(run), None, "float32")


def all_targets(run: Run) -> NDArray:
    """(rows, outputs) of the training rows, then of the test rows."""
    outputs = run.targets.shape[1]
    truth = np.eye(outputs)[run.truth] if run.classes and outputs > 1 else run.truth[:, None].astype(np.float64)
    return np.concatenate([run.targets, truth])
