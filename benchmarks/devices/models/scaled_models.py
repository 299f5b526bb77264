"""scikit-learn's linear models and multilayer perceptrons as matrices, with the scaling of inputs merged into them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Lasso, LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

from benchmarks.devices.device_tasks import Answer, Fit, Task, promised

STEPS = 2000  # the most of a linear model
BATCH, RATE, EPOCHS, MLP_STEPS = 64, 0.01, 200, 4000
PENALTIES = (3.0, 0.1)  # of networks
HIDDEN = (4, 8, 16)


class Layers(NamedTuple):
    """Weights (inputs, outputs) and biases of layers with ReLU between them; ``scaler`` is that of the inputs.

    The inputs of ``weights`` are standardised; a binary classifier has one output, which is positive for class 1.
    """

    weights: list[NDArray[np.float64]]
    biases: list[NDArray[np.float64]]
    scaler: StandardScaler
    classes: int

    def outputs(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """(rows, outputs) of raw inputs."""
        values = self.scaler.transform(X)
        for i, (weights, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            values = (np.maximum(values, 0) if i else values) @ weights + bias
        return values

    def answer(self, X: NDArray[np.float64]) -> NDArray:
        return answered(self.outputs(X), self.classes)

    def raw(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weights and biases of the first layer for raw inputs."""
        weights = self.weights[0] / self.scaler.scale_[:, None]
        return weights, self.biases[0] - self.scaler.mean_ @ weights


def answered(outputs: NDArray, classes: int) -> NDArray:
    if not classes:
        return outputs[:, 0]
    return outputs.argmax(axis=1) if classes > 2 else (outputs[:, 0] > 0).astype(np.int64)


def network(hidden: int, penalty: float, classes: int, seed: int) -> Any:
    """Returns a function that fits a perceptron with one hidden layer of ReLU to (X, y)."""

    def fit(X: NDArray[np.float64], y: NDArray) -> Layers:
        scaler = StandardScaler().fit(X)
        spread = (0.0, 1.0) if classes else (float(np.mean(y)), float(np.std(y)))
        kind = MLPClassifier if classes else MLPRegressor
        most = max(1, min(EPOCHS, MLP_STEPS * BATCH // len(y)))
        options: dict[str, Any] = {"alpha": penalty, "learning_rate_init": RATE, "max_iter": most}
        model = kind(hidden_layer_sizes=(hidden,), batch_size=min(BATCH, len(y)), random_state=seed, **options)
        model.fit(scaler.transform(X), y if classes else (y - spread[0]) / spread[1])
        weights, biases = list(model.coefs_), list(model.intercepts_)
        weights[-1], biases[-1] = weights[-1] * spread[1], biases[-1] * spread[1] + spread[0]
        return Layers(weights, biases, scaler, classes)

    return fit


def perceptrons(task: Task) -> Iterator[tuple[str, Layers, float]]:
    """Name, model and promised score for each number of hidden units, of the better penalty."""
    for hidden in HIDDEN:
        fits = [network(hidden, penalty, task.classes, task.seed) for penalty in PENALTIES]
        about = ("perceptron", hidden, BATCH, RATE, EPOCHS, MLP_STEPS)
        hopes = [promised(task, answering(fit), *about, each) for fit, each in zip(fits, PENALTIES, strict=True)]
        yield f"{hidden} hidden units", fits[int(np.argmax(hopes))](task.X, task.y), max(hopes)


def linear(penalty: float, classes: int) -> Any:
    """Returns a function that fits a linear model to (X, y), whose L1 penalty leaves inputs out."""

    def fit(X: NDArray[np.float64], y: NDArray) -> Layers:
        scaler = StandardScaler().fit(X)
        model: Any = Lasso(alpha=penalty * np.std(y), max_iter=STEPS)
        if classes:
            solver = "liblinear" if classes == 2 else "saga"
            model = LogisticRegression(
                C=1 / (penalty * len(y)), l1_ratio=1.0, solver=solver, max_iter=STEPS, random_state=0
            )
        model.fit(scaler.transform(X), y)
        return Layers([np.atleast_2d(model.coef_).T], [np.atleast_1d(model.intercept_)], scaler, classes)

    return fit


def answering(fit: Any) -> Fit:
    """The same fit, but what is returned answers rows."""

    def fitted(X: NDArray[np.float64], y: NDArray) -> Answer:
        return fit(X, y).answer

    return fitted
