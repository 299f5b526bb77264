"""Populations of random trees trained at a constant rate, with their weights after each stretch of epochs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.common.images import CLASSES, SIDE, images
from experiments.growth.pixels import make_pixels, scaled
from experiments.studies.learned_rate.populations import NOBODY, Population, losses, population
from experiments.studies.pruning.run import sized_tree
from experiments.studies.savings.starting_nets import pixel_nodes
from neuraltree.arrays import FloatArray
from neuraltree.engine.forest import Forest, load_params, pack
from neuraltree.engine.lowering import lowering
from neuraltree.engine.training import Settings, make_course, make_data
from neuraltree.tasks.task import make_task
from neuraltree.tree.nodes import Nodes, join
from neuraltree.tree.simplify import simplify
from neuraltree.tree.space import Space


class Course(NamedTuple):
    """``stretches`` of ``epochs`` each, at a constant rate of Adam."""

    stretches: int
    epochs: int
    rate: float
    batch: int


class Trained(NamedTuple):
    """``path`` (stretches + 1, params) the parameters from birth on, and the validation losses (trees,) at the end."""

    forest: Forest
    path: NDArray
    loss: FloatArray

    def weights(self, stretch: int = -1) -> list[FloatArray]:
        """The weights of the edges of each tree after a stretch, biases left out."""
        first, edges = self.forest.first_tree_param, edge_params(self.forest)
        params = self.path[stretch].astype(np.float64)
        ends = zip(first[:-1].tolist(), first[1:].tolist(), strict=True)
        return [params[start:end][edges[start:end]] for start, end in ends]


def edge_params(forest: Forest) -> NDArray[np.bool_]:
    """(params,) which parameters are weights of edges: of leaves, and above nodes that are no outputs."""
    found = forest.source >= 0
    edge = forest.first_param[:-1] + 1
    top = np.zeros(forest.nodes, bool)
    for first, last in zip(forest.first_node[:-1].tolist(), forest.first_node[1:].tolist(), strict=True):
        while first < last:  # an output is followed by its subtree
            top[first] = True
            first += int(forest.size[first])
    found[edge[~top]] = True
    return found


def of_table(name: str, seed: int, trees: int, weights: int) -> Population:
    """Random trees of about so many weights; repeated leaves are merged before they are trained."""

    def new_tree(rng: np.random.Generator, space: Space) -> Nodes:
        wide = Space(
            space.n_features, space.n_outputs, space.activations, space.output_activation, 4 * weights, max_depth=6
        )
        return simplify(sized_tree(rng, wide, weights))

    return population(name, seed, trees, new_tree)


def of_images(name: str, seed: int, trees: int, weights: int, hidden: int, rows: tuple[int, int]) -> Population:
    """Trees with ``hidden`` nodes for each class that read random pixels; ``rows`` to fit and for validation."""
    found, rng = images(name), np.random.default_rng([seed, weights])
    chosen = rng.permutation(len(found.X))[: sum(rows)]
    pixels = make_pixels(found.X[chosen[: rows[0]]].reshape(-1, SIDE, SIDE), found.y[chosen[: rows[0]]], CLASSES)
    inputs, targets = scaled(found.X[chosen], pixels.scaler), np.eye(CLASSES, dtype=np.float32)[found.y[chosen]]
    nodes, starts = join([pixel_nodes(rng, inputs.shape[1], CLASSES, weights, hidden) for _ in range(trees)])
    packed, task = pack(nodes, starts, inputs.shape[1]), make_task("multiclass", CLASSES)
    data = make_data(inputs, targets, None, "float32")
    fit, held = np.split(np.arange(len(chosen)), rows[:1])
    return Population(packed, load_params(packed, nodes, "float32")[0], data, fit, held, task.loss, seed)


def trained(given: Population, course: Course) -> Trained:
    """The population after each stretch; a tree that diverged has an infinite loss."""
    forest, path = given.packed.forest, [given.params]
    settings = Settings(given.loss, "adam", course.rate, "constant", course.batch)
    moments: list[NDArray] = []
    for stretch in range(course.stretches):
        part = make_course(settings, given.fit, NOBODY, epochs=course.epochs, patience=0, seed=(given.seed, stretch))
        always = np.full(forest.trees, course.epochs)
        found = lowering().train(forest, settings, given.data, part, path[-1], always, moments=moments)
        moments = found.moments
        path.append(found.last)
    return Trained(forest, np.stack(path), losses(given, settings, path[-1], given.held))
