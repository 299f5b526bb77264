"""The experiment distillation: a teacher says of each shifted image what it is asked, and what a student learns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.frame.experiment import Unit
from experiments.growth.course import Course
from experiments.growth.dense import Dense, Layers
from experiments.growth.pixels import Pixels, make_pixels
from experiments.growth.rewiring import State, lesson_of
from experiments.growth.rounds import drawn
from experiments.growth.skeleton import make_skeleton, to_nodes
from experiments.growth.teaching import everywhere, networks_teacher, tree_teacher, unmoved, with_teacher
from experiments.growth.tree_training import start_params, train
from experiments.studies.distillation import page
from experiments.studies.distillation.run import CHOOSING, CHOSEN, EXPERIMENT, WAYS
from tests.helpers.oracle import evaluate_recursive

SIDE, CLASSES = 4, 3


@pytest.fixture(scope="module")
def pixels() -> Pixels:
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (150, SIDE, SIDE)).astype(np.uint8)
    return make_pixels(images, rng.integers(0, CLASSES, 150), CLASSES)


def predict(inputs: np.ndarray) -> np.ndarray:
    """A teacher that looks at all pixels."""
    scores = inputs @ np.random.default_rng(0).normal(size=(SIDE * SIDE, CLASSES))
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("shift", [0, 1])
def test_a_shifted_image_is_taught_what_the_teacher_says_of_it(pixels: Pixels, shift: int) -> None:
    """By the formula of the softer targets, for the inputs that training draws; rows are known by their own class."""
    lesson = with_teacher(pixels, everywhere(predict, pixels, shift), 0.7, 3.0)
    rows = np.random.default_rng(5).permutation(150)[:60]
    inputs, targets = drawn(lesson, Course(epochs=1, shift=shift), rows, np.random.default_rng(8))
    plain, own = drawn(pixels, Course(epochs=1, shift=shift), rows, np.random.default_rng(8))
    np.testing.assert_array_equal(inputs, plain)
    roots = np.cbrt(predict(inputs))
    expected = 0.3 * own + 0.7 * 3 * roots / roots.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(targets, expected, atol=1e-5)
    settings, data = lesson_of(lesson, inputs, targets)
    assert settings.temperature == 3
    assert data.soft is not None
    np.testing.assert_allclose(data.soft, 0.7)
    assert lesson_of(pixels, plain, own)[1].soft is None


def test_the_original_image_can_be_taught_at_every_place(pixels: Pixels) -> None:
    said = everywhere(predict, pixels, 1)
    inputs, _ = drawn(pixels, Course(epochs=1, shift=0), np.arange(150), np.random.default_rng(0))
    assert said.shape == unmoved(said).shape == (9, 150, CLASSES)
    for place in unmoved(said):
        np.testing.assert_allclose(place, predict(inputs), atol=1e-6)


def test_teachers_are_the_tree_and_the_mean_of_the_networks(pixels: Pixels) -> None:
    rng = np.random.default_rng(3)
    inputs = rng.normal(size=(7, SIDE * SIDE)).astype(np.float32)
    skeleton = make_skeleton(SIDE * SIDE, CLASSES, (2,), ("tanh",))
    mask = skeleton.possible & (rng.random(skeleton.possible.shape) < 0.5)
    params = start_params(skeleton, mask, rng)
    state = State(mask, params, [])
    nodes = to_nodes(skeleton, mask, params)
    outputs = np.array([evaluate_recursive(nodes, row.tolist()) for row in inputs])
    powers = np.exp(outputs)
    found = tree_teacher(skeleton, state)(inputs)
    np.testing.assert_allclose(found, powers / powers.sum(axis=1, keepdims=True), atol=1e-5)
    networks, each = [], []
    for _ in range(2):
        first, last = rng.normal(size=(4, SIDE * SIDE + 1)), rng.normal(size=(CLASSES, 5))
        networks.append(Dense(Layers(first.astype(np.float32), last.astype(np.float32)), np.ones(first.shape, bool)))
        hidden = np.maximum(inputs @ first[:, :-1].T + first[:, -1], 0)
        powers = np.exp(hidden @ last[:, :-1].T + last[:, -1])
        each.append(powers / powers.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(networks_teacher(networks)(inputs), np.mean(each, axis=0), atol=1e-4)


def test_a_student_comes_nearer_to_its_teacher(pixels: Pixels) -> None:
    """The classes are noise, so only the teacher can be learned."""
    course = Course(epochs=30, batch=16, rounds=2, shift=0, rate=0.02)
    skeleton = make_skeleton(SIDE * SIDE, CLASSES, (4,), ("relu",))
    inputs, _ = drawn(pixels, course, np.arange(150), np.random.default_rng(0))
    apart = []
    for lesson in (pixels, with_teacher(pixels, everywhere(predict, pixels, 0), 1.0, 2.0)):
        state = train(skeleton, lesson, 100, course, np.random.default_rng(2))
        apart.append(np.abs(tree_teacher(skeleton, state)(inputs) - predict(inputs)).mean())
    assert apart[1] < 0.5 * apart[0]


def test_units_and_settings() -> None:
    units = list(EXPERIMENT.units(10, False))
    assert len(set(units)) == len(units) == 21
    assert CHOSEN in WAYS
    taught, alone = (EXPERIMENT.settings(Unit("mnist", job, 0), False) for job in ("taught", "alone"))
    assert taught["ways"] == [CHOSEN._asdict()]
    assert "ways" not in alone


def test_the_page_is_made_of_rows_alone(tmp_path: Path) -> None:
    rng, rows = np.random.default_rng(0), []
    for seed in range(6):
        for job, better in (("alone", 0.0), ("taught", 0.002)):
            errors = {name: str(0.018 - better + 0.0005 * rng.random()) for name in ("test_error", "val_error")}
            more = {f"teacher_{name}": "0.012" if job == "taught" else "" for name in errors}
            rows.append({"table": "mnist", "job": job, "seed": str(seed), **errors, **more})
    choice = {way.name: "0.016" for way in WAYS} | {"alone": "0.018"}
    rows.append({"table": "mnist", "job": CHOOSING, "seed": "0", **choice})
    page.render(rows, tmp_path)
    text = (tmp_path / "distillation.md").read_text()
    assert "over 6 seeds: -0.20 points of test error, p = 0.031" in text
    assert text.count("| 1.60 |") == len(WAYS)
    assert "| alone | 1.80 |" in text
    assert "nan" not in text
