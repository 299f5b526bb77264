"""What each task trains, and with which outputs."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltree.tasks.task import encode, make_task


@pytest.mark.parametrize(
    ("kind", "classes", "loss", "outputs", "activation", "trained_on"),
    [
        ("regression", 0, "auto", 1, "identity", "squared"),
        ("binary", 2, "auto", 1, "identity", "logistic"),
        ("multiclass", 4, "auto", 4, "identity", "softmax"),
        ("binary", 2, "squared", 2, "sigmoid", "squared"),  # the sources' form
    ],
)
def test_tasks(kind: str, classes: int, loss: str, outputs: int, activation: str, trained_on: str) -> None:
    task = make_task(kind, classes, loss)
    assert (task.n_outputs, task.output_activation, task.loss) == (outputs, activation, trained_on)
    codes = np.array([0, 1, 1])
    encoded = encode(task, codes)
    assert encoded.shape == (3, outputs)
    assert (encoded.argmax(axis=1) == codes).all() if outputs > 1 else (encoded[:, 0] == codes).all()


def test_cross_entropy_needs_classes() -> None:
    with pytest.raises(ValueError, match="squared"):
        make_task("regression", 0, "cross_entropy")
