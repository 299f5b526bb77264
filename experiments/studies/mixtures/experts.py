"""Mixtures of the trees of a front, beside one tree and the Pareto ensemble of the same front."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.common.scoring import score
from experiments.frame.experiment import Row
from experiments.studies.mixtures.limits import Part, curve, limits
from experiments.studies.mixtures.row_parts import Parts, parts_of
from neuraltree.estimators.ensembles import members_of
from neuraltree.estimators.options import Options
from neuraltree.estimators.samples import Sample
from neuraltree.hardware import Code, load_device
from neuraltree.hardware.model.cost import costs, laid_out
from neuraltree.hardware.model.counts import count
from neuraltree.mixtures.expectation import Plan, fit_mixture, linear_gate
from neuraltree.mixtures.mixture import Mixture
from neuraltree.tree.tree import Tree
from search.evolution import Evolution

TREE, TRAINED, ENSEMBLE, FLASH_ENSEMBLE = "one tree", "one tree, trained on", "ensemble", "ensemble, equal flash"
MACS, FLASH, THREE = "2 experts, equal MACs", "2 experts, equal flash", "3 experts, equal MACs"
PLAN, QUICK_PLAN = Plan(), Plan(rounds=2, epochs=1, starts=2)
POPULATION, GENERATIONS, EPOCHS = 40, 12, 20
DEVICE, CODE = "cortex-m4f", Code("float32", "straight", "clang")
MOST = 5  # members of an ensemble


def expert_rows(table: str, seed: int, quick: bool) -> list[Row]:
    """A row for each model; the search and all trainings see the rows to fit alone."""
    parts = parts_of(table, seed)
    sample = Sample(parts.fit[0], parts.fit[1], parts.kind, parts.features, parts.classes)
    options = Options(("sigmoid", "tanh", "gaussian", "relu"), None, 5, None, "adamw", 0.01, None, EPOCHS, None)
    size = (8, 1) if quick else (POPULATION, GENERATIONS)
    search = Evolution(*size, baselines=())
    if parts.classes:  # a class must have a row in every fold
        search.folds = min(search.folds, int(np.bincount(sample.y).min()))
    found = search.evolve(sample, options, seed=seed, n_jobs=1, verbose=0)
    trees = [member.tree() for member in found.front]  # lowest honest error first
    plan = QUICK_PLAN if quick else PLAN
    return [
        *_trees(trees[0], parts, plan, seed),
        *_ensembles(found, trees, sample, parts),
        *_mixtures(trees, parts, plan, seed),
    ]


def _trees(tree: Tree, parts: Parts, plan: Plan, seed: int) -> Iterator[Row]:
    yield {"method": TREE} | _of_trees([tree], np.ones(1), parts) | _limits_of_tree(tree, parts)
    kind = tree.estimator().set_params(
        warm_start=True,
        epochs=plan.rounds * plan.epochs,
        batch_size=64,
        learning_rate=plan.learning_rate,
        random_state=seed,
    )
    kind.fit(parts.fit[0], parts.labels(parts.fit[1]))
    learned = kind.tree_
    about = {"method": TRAINED} | _of_trees([learned], np.ones(1), parts) | _limits_of_tree(learned, parts)
    yield about | curve(kind.loss_curve_)


def _limits_of_tree(tree: Tree, parts: Parts) -> Row:
    X, y = parts.validation
    part = Part(tree, parts.fit[0], parts.labels(parts.fit[1]))
    return limits([part], lambda trees: score(parts.kind, y, parts.codes(trees[0].predict(X))))


def _ensembles(found: Any, trees: Sequence[Tree], sample: Sample, parts: Parts) -> Iterator[Row]:
    """All members may be chosen, or two that together have the weights of the best tree."""
    small = [i for i, tree in enumerate(trees) if 2 * _flash(tree) <= _flash(trees[0])]
    for name, places, most in ((ENSEMBLE, list(range(len(trees))), MOST), (FLASH_ENSEMBLE, small, 2)):
        if places:
            chosen, weights = members_of(found._replace(validation=found.validation[places]), sample, most)
            yield {"method": name} | _of_trees([trees[places[i]] for i in chosen], weights, parts)


def _mixtures(trees: Sequence[Tree], parts: Parts, plan: Plan, seed: int) -> Iterator[Row]:
    """The expert is the member with the lowest honest error that keeps the budget beside the gate."""
    best = trees[0]
    for name, experts in ((MACS, 2), (FLASH, 2), (THREE, 3)):
        gate = linear_gate(best, experts, seed)
        if name == FLASH:
            fits = [t for t in trees if _flash(gate) + experts * _flash(t) <= _flash(best)]
        else:
            fits = [t for t in trees if _macs(gate) + _macs(t) <= _macs(best)]
        if fits:
            X, y = parts.fit
            learned = fit_mixture([fits[0]] * experts, X, parts.labels(y), plan=plan, seed=seed)
            yield {"method": name} | _of_mixture(learned.mixture, parts) | curve(learned.losses)


def _of_mixture(mixture: Mixture, parts: Parts) -> Row:
    (fit_X, fit_y), (X, y), (test_X, test_y) = parts.fit, parts.validation, parts.test
    found = mixture.costs(test_X, load_device(DEVICE), CODE)
    mean, worst = mixture.macs(test_X)
    routes = mixture.routes(fit_X)
    by_expert = []
    for e, tree in enumerate(mixture.experts):
        own = routes == e if (routes == e).sum() > 1 else np.ones(len(routes), bool)
        by_expert.append(Part(tree, fit_X[own], parts.labels(fit_y[own])))
    pieces = [Part(mixture.gate, fit_X, routes), *by_expert]

    def scored(trees: list[Tree]) -> float:
        return score(parts.kind, y, parts.codes(Mixture(trees[0], tuple(trees[1:])).predict(X)))

    return {
        "weights": mixture.num_weights,
        "mean_macs": mean,
        "worst_macs": worst,
        "mean_latency_us": 1e6 * found["latency_s"],
        "worst_latency_us": 1e6 * found["worst_expert_latency_s"],
        "flash_bytes": found["flash_bytes"],
        "least_share": float(mixture.shares(test_X).min()),
        "val_score": scored([piece.tree for piece in pieces]),
        "test_score": score(parts.kind, test_y, parts.codes(mixture.predict(test_X))),
    } | limits(pieces, scored)


def _of_trees(trees: Sequence[Tree], weights: NDArray, parts: Parts) -> Row:
    """The weighted mean of trees, all of which are computed for every row."""
    found = _costs(trees)
    macs = float(sum(map(_macs, trees)))

    def scored(X: NDArray, y: NDArray) -> float:
        if parts.kind == "regression":
            return score(parts.kind, y, sum(w * tree.predict(X) for w, tree in zip(weights, trees, strict=True)))
        share = sum(w * tree.predict_proba(X) for w, tree in zip(weights, trees, strict=True))
        return score(parts.kind, y, np.asarray(share).argmax(axis=1))

    return {
        "weights": sum(tree.num_weights for tree in trees),
        "mean_macs": macs,
        "worst_macs": macs,
        "mean_latency_us": 1e6 * found["latency_s"],
        "worst_latency_us": 1e6 * found["latency_s"],
        "flash_bytes": found["flash_bytes"],
        "val_score": scored(*parts.validation),
        "test_score": scored(*parts.test),
    }


def _macs(tree: Tree) -> float:
    return float(count(tree.nodes, np.array([0, len(tree.nodes)])).macs[0])


def _flash(tree: Tree) -> float:
    return _costs([tree])["flash_bytes"]


def _costs(trees: Sequence[Tree]) -> dict[str, float]:
    """Sums over trees."""
    nodes, starts, about = laid_out(trees)
    found = costs(nodes, starts, load_device(DEVICE), *CODE, **about)
    return {name: float(values.sum()) for name, values in found.items()}
