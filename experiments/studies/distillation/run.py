"""A tree of 10,000 weights that learns MNIST from a larger model besides the digits.

The teacher, its share and the temperature are chosen by the errors on training rows held out, in the units
``choosing``; the test rows are scored once, by the finished ``neuraltree.Tree``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.common.images import DIGESTS
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.growth.dense import train_dense, width_of
from experiments.growth.pixels import Bytes, Floats, Pixels, scaled
from experiments.growth.teaching import Predict, everywhere, networks_teacher, tree_teacher, unmoved, with_teacher
from experiments.studies.mnist import run as mnist
from neuraltree.tree.tree import Tree

STUDENT, NETWORK, NETWORKS = "grow_10k", "mlp_200k", 3
ALONE, TAUGHT, CHOOSING = ("alone", "taught", "choosing")  # the last one chooses a way by validation rows
CHOOSERS = 1  # seeds


class Way(NamedTuple):
    """How a student learns; ``moved``: what the teacher says of the image as it was shifted, or of the original."""

    teacher: str
    share: float
    temperature: float
    moved: bool = True

    @property
    def name(self) -> str:
        seen = "" if self.moved else "_unmoved"
        return f"{self.teacher}_{self.share:g}_{self.temperature:g}{seen}"


WAYS = (
    Way("tree", 0.5, 1),
    Way("tree", 0.9, 1),
    Way("tree", 0.9, 2),
    Way("tree", 0.9, 4),
    Way("tree", 0.9, 2, moved=False),
    Way("mlps", 0.9, 2),
)
CHOSEN = WAYS[2]
ERRORS = ("val_error", "test_error", "teacher_val_error", "teacher_test_error")
COLUMNS = ("weights", *ERRORS, "alone", *(way.name for way in WAYS))


def units(seeds: int, quick: bool) -> list[Unit]:
    del quick
    choosing = [Unit("mnist", CHOOSING, seed) for seed in range(min(seeds, CHOOSERS))]
    return [*choosing, *(Unit("mnist", job, seed) for seed in range(seeds) for job in (TAUGHT, ALONE))]


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    of_digits = mnist.settings(Unit("mnist", STUDENT, unit.seed), quick)
    if unit.job == ALONE:
        return of_digits
    teachers = [mnist.model_of(name, quick)._asdict() for name in ("grow_200k", NETWORK)]
    mine: Any = [way._asdict() for way in (WAYS if unit.job == CHOOSING else (CHOSEN,))]
    models = [each | {"course": each["course"]._asdict()} for each in teachers]
    return of_digits | {"teachers": models, "networks": NETWORKS, "ways": mine, "data": DIGESTS["mnist"]}


def run(unit: Unit, quick: bool) -> list[Row]:
    run_job: dict[str, Callable[[Unit, bool], Row]] = {ALONE: _alone, TAUGHT: _taught, CHOOSING: _choice}
    return [dict.fromkeys(COLUMNS) | run_job[unit.job](unit, quick)]


def _alone(unit: Unit, quick: bool) -> Row:
    parts, pixels, rng = mnist.begun(unit, quick)
    return _scored(mnist.grown(mnist.model_of(STUDENT, quick), pixels, rng), parts)


def _taught(unit: Unit, quick: bool) -> Row:
    parts, pixels, rng = mnist.begun(unit, quick)
    teacher = TEACHERS[CHOSEN.teacher](unit, pixels, quick)
    lesson = _lesson(CHOSEN, pixels, everywhere(teacher, pixels, mnist.model_of(STUDENT, quick).course.shift))
    theirs = _errors(lambda X: teacher(scaled(X, pixels.scaler)).argmax(axis=1), parts)
    mine = _scored(mnist.grown(mnist.model_of(STUDENT, quick), lesson, rng), parts)
    return mine | dict(zip(ERRORS[2:], theirs, strict=True))


def _scored(tree: Tree, parts: mnist.Parts) -> Row:
    errors = _errors(lambda X: tree.predict(X.reshape(len(X), -1)), parts)
    return dict(zip(ERRORS[:2], errors, strict=True)) | {"weights": tree.num_weights}


def _errors(predict: Callable[[Bytes], NDArray], parts: mnist.Parts) -> list[float]:
    """The shares of wrong validation and test rows."""
    return [float(np.mean(predict(X) != y)) for X, y in (parts.validation, parts.test)]


def _choice(unit: Unit, quick: bool) -> Row:
    """Validation errors of students that learn alone and in every way; no test row is read."""
    parts, pixels, _ = mnist.begun(unit, quick)
    model = mnist.model_of(STUDENT, quick)
    X, y = parts.validation[0].reshape(len(parts.validation[0]), -1), parts.validation[1]
    said = {name: everywhere(make(unit, pixels, quick), pixels, model.course.shift) for name, make in TEACHERS.items()}

    def error(lesson: Pixels) -> float:
        tree = mnist.grown(model, lesson, mnist.begun(unit, quick)[2])
        return float(np.mean(tree.predict(X) != y))

    found = {way.name: error(_lesson(way, pixels, said[way.teacher])) for way in WAYS}
    return {"alone": error(pixels)} | found


def _lesson(way: Way, pixels: Pixels, said: Floats) -> Pixels:
    return with_teacher(pixels, said if way.moved else unmoved(said), way.share, way.temperature)


def _tree(unit: Unit, pixels: Pixels, quick: bool) -> Predict:
    """The tree of 200,000 weights of the mnist experiment with the unit's seed."""
    rng = mnist.begun(unit, quick)[2]
    return tree_teacher(*mnist.trained(mnist.model_of("grow_200k", quick), pixels, rng))


def _networks(unit: Unit, pixels: Pixels, quick: bool) -> Predict:
    """The mean of networks from other random starts."""
    model = mnist.model_of(NETWORK, quick)
    width = width_of(model.weights, len(pixels.spread), pixels.targets.shape[1])
    rngs = [np.random.default_rng([unit.seed, 2, i]) for i in range(NETWORKS)]
    return networks_teacher([train_dense(pixels, width, model.course, rng) for rng in rngs])


TEACHERS: dict[str, Callable[[Unit, Pixels, bool], Predict]] = {"tree": _tree, "mlps": _networks}
EXPERIMENT = Experiment(
    "distillation", "a small tree that learns from a larger model", 10, COLUMNS, units, run, settings
)
