"""Models with a fixed random structure, whose weights are to be found: losses of many vectors at once, and gradients.

Neural trees are those of MONT: sigmoid nodes, one sigmoid output per class, inputs and numbers to predict scaled to
0..1 by the training rows. Fuzzy trees are those of ``neuraltree.fuzzy``. Both are judged by the squared error."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.common import paper_tables
from experiments.common.holdout import holdout
from experiments.common.scoring import score
from neuraltree.arrays import FloatArray
from neuraltree.engine.forest import Forest, pack
from neuraltree.engine.lowering import lowering
from neuraltree.engine.training import Settings, make_course, make_data
from neuraltree.fuzzy.fuzzy_forest import FuzzyForest, FuzzyModel, forest_of, widened
from neuraltree.fuzzy.fuzzy_forest import outputs as fuzzy_outputs
from neuraltree.fuzzy.fuzzy_training import FuzzyTraining, trained
from neuraltree.fuzzy.fuzzy_tree import Range
from neuraltree.tasks.task import encode, make_task
from neuraltree.tree.generate import random_tree, reference_tree
from neuraltree.tree.nodes import join
from neuraltree.tree.space import Space

LEAF_PROBABILITY = 0.5  # MONT's; arity and depth are those of ``reference_tree``
NONE_HELD = np.zeros(0, np.int32)
BATCH, RATE = 64, 0.03  # of the engine's gradients
FUZZY_NODES, FUZZY_DEPTH, FUZZY_ARITY = 12, 3, 3
FUZZY_BATCH, FUZZY_RATE = 256, 0.02


class Scaled(NamedTuple):
    """The rows of a hold-out, inputs (rows, features) and targets (rows, outputs) within 0 and 1 in training."""

    kind: str
    inputs: FloatArray
    targets: FloatArray
    X_test: FloatArray
    y_test: NDArray  # as ``Table.y``, numbers scaled like the targets


class WeightProblem(NamedTuple):
    """``outputs(vectors, inputs)`` (vectors, outputs, rows) of vectors (vectors, size) of weights.

    ``by_gradients(vector, passes, seed)`` trains from a vector for so many passes over the training rows.
    ``limits``: the lowest and the highest weights, where the model has its own.
    """

    size: int
    rows: Scaled
    outputs: Callable[[FloatArray, FloatArray], FloatArray]
    by_gradients: Callable[[FloatArray, int, int], FloatArray]
    limits: tuple[FloatArray, FloatArray] | None = None

    def losses(self, vectors: FloatArray) -> FloatArray:
        """(vectors,) mean squared errors on the training rows; a vector that is not finite is the worst."""
        error = self.outputs(vectors, self.rows.inputs) - self.rows.targets.T
        return np.nan_to_num((error**2).mean(axis=(1, 2)), nan=np.inf)

    def error_rates(self, vectors: FloatArray) -> FloatArray:
        """(vectors,) shares of wrong classes on the training rows: what MONT minimises."""
        wrong = self.outputs(vectors, self.rows.inputs).argmax(axis=1) != self.rows.targets.argmax(axis=1)
        return wrong.mean(axis=1)

    def test_score(self, vector: FloatArray) -> float:
        """Accuracy or R² on the test rows."""
        found = self.outputs(vector[None], self.rows.X_test)[0]
        regression = self.rows.kind == "regression"
        return score(self.rows.kind, self.rows.y_test, found[0] if regression else found.argmax(axis=0))


def scaled_rows(name: str, seed: int) -> Scaled:
    table = paper_tables.table(name)
    train, test = holdout(table, seed)
    inputs, y = Range.fit(table.X[train]), table.y
    if table.classes is None:
        y = Range.fit(y[train, None]).scaled(y[:, None])[0]
    targets = encode(make_task(table.kind, len(table.classes or ()), "squared"), y[train])
    return Scaled(table.kind, inputs.scaled(table.X[train]).T, targets, inputs.scaled(table.X[test]).T, y[test])


def neural_problem(rows: Scaled, rng: np.random.Generator) -> WeightProblem:
    """A random tree of MONT; a vector holds all its edge weights and biases."""
    features, outputs = rows.inputs.shape[1], rows.targets.shape[1]
    tree = reference_tree(rng, features, outputs, leaf_probability=LEAF_PROBABILITY)
    settings = Settings("squared", "adam", RATE, "cosine", BATCH)
    data = make_data(rows.inputs, rows.targets, None, settings.precision)
    single = pack(*join([tree]), features)
    used = np.ones(single.forest.params, bool)
    used[single.place[tree["depth"] == 0] + 1] = False  # there is no edge above an output

    @cache
    def copies(count: int) -> Forest:
        return pack(*join([tree] * count), features).forest

    def filled(vectors: FloatArray) -> NDArray:
        params = np.zeros((len(vectors), len(used)), settings.precision)
        params[:, used] = vectors
        return params.ravel()

    def predict(vectors: FloatArray, inputs: FloatArray) -> FloatArray:
        whole = data if inputs is rows.inputs else make_data(inputs, np.zeros((len(inputs), outputs)), None, "float32")
        places = np.arange(len(inputs), dtype=np.int32)
        return np.asarray(
            lowering().predict(copies(len(vectors)), settings, whole, places, filled(vectors)), np.float64
        )

    def by_gradients(vector: FloatArray, passes: int, seed: int) -> FloatArray:
        course = make_course(settings, np.arange(len(rows.inputs)), NONE_HELD, epochs=passes, patience=0, seed=seed)
        found = lowering().train(copies(1), settings, data, course, filled(vector[None]), np.array([passes]))
        return found.last[used].astype(np.float64)

    return WeightProblem(int(used.sum()), rows, predict, by_gradients)


def fuzzy_problem(rows: Scaled, rng: np.random.Generator, fuzzy_type: int) -> WeightProblem:
    """A random fuzzy tree; a vector holds the parameters of all its nodes."""
    features = rows.inputs.shape[1]
    space = Space(
        *(features, rows.targets.shape[1], ("identity",)),
        max_nodes=FUZZY_NODES,
        max_depth=FUZZY_DEPTH,
        max_arity=FUZZY_ARITY,
        min_arity=2,
    )
    model = FuzzyModel(fuzzy_type=fuzzy_type)
    tree = widened(random_tree(rng, space, max_nodes=FUZZY_NODES), model, FUZZY_ARITY)
    training = FuzzyTraining(batch_size=FUZZY_BATCH, learning_rate=FUZZY_RATE)

    @cache
    def copies(count: int) -> tuple[FuzzyForest, NDArray[np.int64]]:
        forest = forest_of([tree] * count, features, model)
        return forest, np.argsort(forest.tree_of_param, kind="stable")  # its parameters are not tree after tree

    def predict(vectors: FloatArray, inputs: FloatArray) -> FloatArray:
        forest, order = copies(len(vectors))
        params = np.empty(forest.params)
        params[order] = vectors.ravel()
        return fuzzy_outputs(forest, params, inputs.T)

    def by_gradients(vector: FloatArray, passes: int, seed: int) -> FloatArray:
        steps = passes * -(-len(rows.inputs) // FUZZY_BATCH)
        shuffles = np.random.default_rng(seed)
        return trained(copies(1)[0], vector, rows.inputs.T, rows.targets.T, training._replace(steps=steps), shuffles)

    forest = copies(1)[0]
    return WeightProblem(forest.params, rows, predict, by_gradients, forest.limits())
