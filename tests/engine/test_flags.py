"""JAX's flags as a user may set them: none changes a result, and in training doubles meet only doubles."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import jax
import numpy as np
import pytest

from neuraltree.activations import NAMES
from neuraltree.engine.chunks import _outputs_and_slopes
from neuraltree.engine.epochs import Course, _train
from neuraltree.engine.flags import engine_flags
from neuraltree.engine.forest import load_params
from neuraltree.engine.optimizers import OPTIMIZERS, SCHEDULES
from neuraltree.engine.packing import layout, pack, plan
from neuraltree.engine.train import _fit, make_schedule
from neuraltree.engine.training_step import Settings, first_state, make_data
from neuraltree.tasks.losses import LOSSES
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import join
from neuraltree.tree.space import Space

ROOT = Path(__file__).parents[2]
FLAGS = {
    "JAX_NUMPY_RANK_PROMOTION": "raise",
    "JAX_NUMPY_DTYPE_PROMOTION": "strict",
    "JAX_TRANSFER_GUARD": "disallow",
    "JAX_DISABLE_JIT": "1",
    "JAX_ENABLE_X64": "1",
    "JAX_DEBUG_NANS": "1",
    "JAX_DEBUG_INFS": "1",
}
# Both precisions, both drivers of training, a search with its refit, and training that diverges.
PROGRAM = """
import numpy as np
from neuraltree import NeuralTreeClassifier, NeuralTreeRegressor
from search import Evolution

X = np.random.default_rng(0).normal(size=(80, 3))
y = X[:, 0] + X[:, 1] ** 2
few = {"epochs": 2, "max_nodes": 8, "random_state": 0}
classes = np.digitize(y, [0, 1])
print(NeuralTreeClassifier(**few).fit(X, classes).score(X, classes))
searched = NeuralTreeClassifier(search=Evolution(population=8, generations=2, folds=2), **few).fit(X, y > 0.5)
print(searched.score(X, y > 0.5))
try:
    NeuralTreeRegressor(**few | {"epochs": 60}, activations=["relu"], optimizer="sgd", learning_rate=1e300).fit(X, y)
except ValueError as error:
    print(error)
"""


def answers(flags: dict[str, str]) -> list[str]:
    environment = {name: value for name, value in os.environ.items() if name not in FLAGS} | flags
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def expected() -> list[str]:
    found = answers({})
    assert len(found) == 3
    assert "training diverged" in found[2]
    return found


@pytest.mark.parametrize("name", FLAGS)
def test_a_flag_changes_no_answer(name: str, expected: list[str]) -> None:
    assert answers({name: FLAGS[name]}) == expected


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_program_is_traced_with_strict_ranks_and_types(optimizer: str, precision: str) -> None:
    """All losses, schedules and activations; the weights keep their type."""
    for loss, schedule in zip(LOSSES, SCHEDULES, strict=True):
        _trace(Settings(loss, optimizer, schedule=schedule, precision=precision, weight_decay=0.1))


def _trace(settings: Settings) -> None:
    space = Space(3, 1 if settings.loss == "logistic" else 2, NAMES, max_nodes=20)
    nodes, starts = join([random_tree(np.random.default_rng(seed), space) for seed in range(3)])
    shape = plan(layout(nodes, starts), space)
    (packed,) = pack(nodes, starts, shape)
    data = make_data(np.zeros((80, 3)), np.zeros((80, space.n_outputs)), None, shape, settings.precision)
    rows, rng = np.arange(80), np.random.default_rng(0)
    fold = {"fit_rows": rows[:60], "validation_rows": rows[60:], "epochs": 3, "limit": np.full(3, 3), "patience": 1}
    schedule = make_schedule(shape, settings, 80, **fold, rng=rng)
    course = Course(schedule.order, schedule.steps, np.full(3, 0.1), schedule.epochs)
    params = load_params(packed, nodes, 0, settings.precision)
    strict = jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("strict")
    with engine_flags(settings.precision), strict[0], strict[1]:
        given = packed.forest, params
        fitted = jax.eval_shape(partial(_fit, shape, settings), *given, data, schedule)
        state = first_state(settings, params)
        trained, losses = jax.eval_shape(partial(_train, shape, settings), packed.forest, state, data, course)
        found = jax.eval_shape(partial(_outputs_and_slopes, shape, settings), *given, data)
    assert {leaf.dtype.name for leaf in jax.tree.leaves((fitted.params, trained.params, losses, found))} == {
        settings.precision
    }
