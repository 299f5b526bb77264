"""A task of numbers and one of classes: trees above a shared trunk, and each with a trunk of its own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from experiments.common.scoring import score
from experiments.frame.experiment import Row
from experiments.studies.mixtures.limits import Part, curve, limits
from experiments.studies.mixtures.row_parts import Tasks, tasks_of
from neuraltree.arrays import FloatArray
from neuraltree.estimators.covering import covering_tree
from neuraltree.mixtures.joint_training import Learned, Plan, fit_together
from neuraltree.mixtures.multitask import Multitask, trunk_names
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.space import Space
from neuraltree.tree.tree import Tree

NUMBER, CLASS = "number", "class"
SHARED, HALVES, DOUBLE = "shared trunk", "trunks of half the size", "trunks of the same size"
TRUNK, TRUNK_NODES, HEAD_NODES = 6, 12, 8  # outputs of a trunk, nodes of each of them, and of an output of a head
PLAN, QUICK_PLAN = Plan(epochs=120, batch=32), Plan(epochs=2, batch=32)


def task_rows(table: str, seed: int, quick: bool) -> list[Row]:
    """A row for each way to share."""
    tasks = tasks_of(table, seed)
    return list(_rows(tasks, QUICK_PLAN if quick else PLAN, seed))


def _rows(tasks: Tasks, plan: Plan, seed: int) -> Iterator[Row]:
    both = {NUMBER: tasks.number, CLASS: tasks.classes}
    for name, size, groups in (
        (SHARED, TRUNK, [both]),
        (HALVES, TRUNK // 2, [{task: y} for task, y in both.items()]),
        (DOUBLE, TRUNK, [{task: y} for task, y in both.items()]),
    ):
        learned = [_learned(tasks, targets, size, plan, seed) for targets in groups]
        yield {"method": name} | _row(tasks, learned)


def _learned(tasks: Tasks, targets: dict[str, FloatArray], size: int, plan: Plan, seed: int) -> Learned:
    model = new_model(np.random.default_rng([seed, 9]), tasks, list(targets), size)
    own = {task: y[tasks.fit] for task, y in targets.items()}
    return fit_together(model, tasks.X[tasks.fit], own, plan, seed)


def new_model(rng: np.random.Generator, tasks: Tasks, names: list[str], size: int) -> Multitask:
    """Random trees: a trunk whose outputs together read all inputs, and heads that read all outputs of the trunk."""
    X, width = tasks.X[tasks.fit], tasks.X.shape[1]
    features = tuple(f"x{i}" for i in range(width))
    scaler = Scaler.fit(X)
    trunk = covering_tree(rng, Space(width, size, max_nodes=4 * (size * TRUNK_NODES + width)), size=size * TRUNK_NODES)
    of_heads = Scaler(np.concatenate([scaler.mean, np.zeros(size)]), np.concatenate([scaler.scale, np.ones(size)]))
    heads = {}
    for name in names:
        outputs = 1 if name == NUMBER else int(tasks.classes.max()) + 1
        space = Space(size, outputs, max_nodes=4 * outputs * (HEAD_NODES + size))
        nodes = covering_tree(rng, space, size=outputs * HEAD_NODES)
        nodes["op"] += np.where(nodes["op"] >= 0, width, 0).astype(nodes["op"].dtype)
        of_target = Scaler.fit(tasks.number[tasks.fit, None]) if name == NUMBER else None
        kind, classes = ("regression", None) if name == NUMBER else ("multiclass", tuple(range(outputs)))
        heads[name] = Tree(nodes, kind, (*features, *trunk_names(size)), classes, of_heads, of_target)
    return Multitask(Tree(trunk, "regression", features, scaler=scaler), heads)


def _row(tasks: Tasks, learned: list[Learned]) -> Row:
    models = [each.model for each in learned]
    pieces = [part for model in models for part in parts_of_model(model, tasks)]

    def mean(trees: list[Tree]) -> float:
        return float(np.mean(list(_scores(tasks, _rebuilt(models, trees), tasks.validation).values())))

    tested = _scores(tasks, models, tasks.test)
    return (
        {
            "weights": sum(model.num_weights for model in models),
            "mean_macs": sum(model.macs for model in models),
            "worst_macs": sum(model.macs for model in models),
            "val_score": mean([part.tree for part in pieces]),
            "test_score": float(np.mean(list(tested.values()))),
            "number_score": tested[NUMBER],
            "class_score": tested[CLASS],
        }
        | limits(pieces, mean)
        | curve(np.sum([each.losses for each in learned], axis=0))
    )


def parts_of_model(model: Multitask, tasks: Tasks) -> list[Part]:
    """The trees of the trunk, which are pruned by their own outputs, then the heads."""
    X = tasks.X[tasks.fit]
    seen, outputs = model.inputs(X), model.trunk.outputs(X)
    trunk = [Part(model.trunk.target(i), X, outputs[:, i]) for i in range(model.trunk.num_outputs)]
    targets = {NUMBER: tasks.number[tasks.fit], CLASS: tasks.classes[tasks.fit]}
    return trunk + [Part(head, seen, targets[name]) for name, head in model.heads.items()]


def _rebuilt(models: list[Multitask], trees: list[Tree]) -> list[Multitask]:
    """The models with other trees in the order of ``parts_of_model``."""
    found, left = [], list(trees)
    for model in models:
        size = model.trunk.num_outputs
        trunk, heads, left = left[:size], left[size : size + len(model.heads)], left[size + len(model.heads) :]
        joined = Tree(
            np.concatenate([tree.nodes for tree in trunk]), "regression", model.trunk.features, scaler=trunk[0].scaler
        )
        found.append(Multitask(joined, dict(zip(model.heads, heads, strict=True))))
    return found


def _scores(tasks: Tasks, models: list[Multitask], rows: np.ndarray) -> dict[str, float]:
    found = {}
    for model in models:
        for name, predicted in model.predict(tasks.X[rows]).items():
            kind, truth = ("regression", tasks.number) if name == NUMBER else ("multiclass", tasks.classes)
            found[name] = score(kind, truth[rows], predicted)
    return found
