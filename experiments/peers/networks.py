"""Multilayer perceptrons of scikit-learn, their shapes and settings searched by Optuna's NSGA-II."""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from experiments.peers.arena import MOST_WEIGHTS, WORST, Arena, Clock, Found, Member, front
from neuraltree.arrays import FloatArray

POPULATION = 16
ALPHA, RATE = (1e-5, 1.0), (1e-3, 1e-1)


def optuna_nsga2(arena: Arena) -> Found:
    """Minimises the error over the folds of our search and the number of weights; no trial is stopped early."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.NSGAIISampler(population_size=POPULATION, seed=arena.seed)
    study = optuna.create_study(directions=["minimize", "minimize"], sampler=sampler)
    clock, most = Clock(arena.budget_s), widest(arena)
    made: list[tuple[float, int, dict[str, Any]]] = []
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter(
            "ignore"
        )  # about networks that have not converged: their error already shows how good they are
        while clock.running or not made:
            trial = study.ask()
            chosen = settings(trial, most)
            made.append((fold_error(arena, chosen), size(arena, chosen["hidden_layer_sizes"]), chosen))
            study.tell(trial, made[-1][:2])
        search_s = clock.spent
        best = front(np.array([row[0] for row in made]), np.array([row[1] for row in made]))
        members = [refitted(arena, *made[i]) for i in best]
    return Found(members, len(made), search_s)


def widest(arena: Arena) -> int:
    """The most units of one hidden layer with which a network has no more weights than count."""
    width = 1
    while size(arena, (width + 1,)) <= MOST_WEIGHTS:
        width += 1
    return width


def settings(trial: Any, most: int) -> dict[str, Any]:
    """Draw the settings of scikit-learn's MLP; on small tables the quasi-Newton solver is much faster than Adam.

    ``most``: units of either hidden layer.
    """
    layers = [trial.suggest_int("width_1", 1, most, log=True)]
    if trial.suggest_int("layers", 1, 2) == 2:
        layers.append(trial.suggest_int("width_2", 1, most, log=True))
    chosen = {
        "hidden_layer_sizes": tuple(layers),
        "activation": trial.suggest_categorical("activation", ["relu", "tanh", "logistic"]),
        "alpha": trial.suggest_float("alpha", *ALPHA, log=True),
        "solver": trial.suggest_categorical("solver", ["lbfgs", "adam"]),
    }
    if chosen["solver"] == "adam":
        chosen["learning_rate_init"] = trial.suggest_float("rate", *RATE, log=True)
    return chosen


def size(arena: Arena, hidden: tuple[int, ...]) -> int:
    """Weights and biases."""
    layers = (arena.X.shape[1], *hidden, arena.search.setup.problem.task.n_outputs)
    return sum((below + 1) * above for below, above in pairwise(layers))


def fold_error(arena: Arena, chosen: dict[str, Any]) -> float:
    """The error over the validation rows of all folds together; ``WORST`` if a network diverges."""
    parts = []
    for rows, held in arena.folds:
        model = fitted(arena, chosen, rows)
        if model is None:
            return WORST
        parts.append(outputs(arena, model, arena.X[held]))
    everything = np.concatenate([held for _, held in arena.folds])
    return float(arena.errors(np.concatenate(parts, axis=1)[None], arena.y[everything])[0])


def fitted(arena: Arena, chosen: dict[str, Any], rows: NDArray) -> Any:
    """A network, or None if scikit-learn refuses to continue."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    kind = MLPRegressor if arena.kind == "regression" else MLPClassifier
    try:
        return kind(random_state=arena.seed, **chosen).fit(arena.X[rows], arena.y[rows])
    except ValueError:
        return None


def outputs(arena: Arena, model: Any, X: FloatArray) -> FloatArray:
    """(outputs, rows): values, the log odds of two classes, or log probabilities of more."""
    if arena.kind == "regression":
        return np.asarray(model.predict(X))[None]
    shares = np.log(np.maximum(model.predict_proba(X), 1e-300))
    return np.diff(shares, axis=1).T if arena.kind == "binary" else shares.T


def refitted(arena: Arena, error: float, weights: int, chosen: dict[str, Any]) -> Member:
    """A network trained on all training rows and tested."""
    model = fitted(arena, chosen, np.arange(len(arena.y)))
    found = WORST if model is None else arena.errors(outputs(arena, model, arena.X_test)[None], arena.y_test)[0]
    return Member(error, float(found), weights, weights)
