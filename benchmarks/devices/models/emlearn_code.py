"""Trees, forests and perceptrons of scikit-learn as emlearn writes them in C: floats, trees also 16-bit integers."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Iterator
from copy import deepcopy
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.devices.device_tasks import Answer, Fit, Task, promised
from benchmarks.devices.models.candidates import Candidate, array, entry
from benchmarks.devices.models.scaled_models import Layers

FOREST, NETWORK = "forest (emlearn)", "MLP, float (emlearn)"
TREES, DEPTHS = (3, 10), (2, 4, 8)


def forests(task: Task) -> Iterator[Candidate]:
    for trees in TREES:
        for depth in DEPTHS:
            model = fit_trees(task, task.X, task.y, trees, depth)
            hope = promised(task, voted(task, trees, depth), "trees", trees, depth)
            yield from tree_code(task, model, hope, FOREST, f"{trees} trees of depth {depth}")


def fit_trees(task: Task, X: NDArray[np.float64], y: NDArray, trees: int, depth: int) -> Any:
    """A forest, or a decision tree if ``trees`` is 1."""
    from sklearn import ensemble, tree

    if trees == 1:
        single = tree.DecisionTreeClassifier if task.classes else tree.DecisionTreeRegressor
        return single(max_depth=depth, random_state=task.seed).fit(X, y)
    kind = ensemble.RandomForestClassifier if task.classes else ensemble.RandomForestRegressor
    share = "sqrt" if task.classes else 1 / 3
    return kind(trees, max_depth=depth, max_features=share, random_state=task.seed).fit(X, y)


def voted(task: Task, trees: int, depth: int) -> Fit:
    return lambda X, y: voting(fit_trees(task, X, y, trees, depth))


def voting(model: Any) -> Answer:
    """Answers as emlearn's code does: the class with most votes, the first of equals; or the mean."""
    members = getattr(model, "estimators_", [model])

    def answer(X: NDArray[np.float64]) -> NDArray:
        each = np.stack([member.predict(X) for member in members])
        if not hasattr(model, "classes_"):
            return each.mean(axis=0)
        votes = np.stack([(each == k).sum(axis=0) for k in range(len(model.classes_))])
        return votes.argmax(axis=0)

    return answer


def tree_code(task: Task, model: Any, hope: float, family: str, name: str) -> Iterator[Candidate]:
    """For inputs that are floats, then for counts."""
    for dtype, kind, own in ((np.float32, "float", model), (np.int16, "int16_t", _of_counts(model, task.scale))):
        code = _saved(own, method="inline", dtype=kind)
        body = f"    return trees_predict(x, {task.X.shape[1]});\n"
        text = local(code) + entry(body, task.classes, f"const {kind} *x")
        answers = voting(own)(task.given(task.test_X, dtype).astype(np.float64))
        yield Candidate(family, name, hope, answers, {"trees.c": text}, dtype)


def _of_counts(model: Any, scale: NDArray[np.float64]) -> Any:
    """The same trees with thresholds for counts, whole numbers."""
    model = deepcopy(model)
    for member in getattr(model, "estimators_", [model]):
        inner = member.tree_.children_left >= 0
        thresholds = member.tree_.threshold  # a view
        thresholds[inner] = np.floor(thresholds[inner] * scale[member.tree_.feature[inner]])
    return model


def _saved(model: Any, **options: Any) -> str:
    emlearn = _emlearn("emlearn")
    with tempfile.TemporaryDirectory() as empty, contextlib.chdir(empty):  # it leaves files where it runs
        converted = emlearn.convert(model, **options)
        return str(converted.save(name="trees", file="trees.h", format="c"))


def network(task: Task, name: str, model: Layers, hope: float) -> Candidate:
    files = {**headers(), "net.c": _network_code(model, task)}
    return Candidate(NETWORK, name, hope, model.answer(task.test_X), files, library=True)


def _network_code(model: Layers, task: Task) -> str:
    """The form that its ``save`` writes; the weights are replaced by all their digits."""
    net = _emlearn("emlearn.net")
    weights, bias = model.raw()
    ending = {0: "identity", 2: "logistic"}.get(task.classes, "softmax")
    layers = ["relu", ending], [weights, model.weights[1]], [bias, model.biases[1]]
    code = net.c_generate_net_loadable(*layers, prefix="net")
    for i in (0, 1):  # it writes six decimals, too few for inputs with large values
        for name, values in (("weights", layers[1][i]), ("biases", layers[2][i])):
            pattern = rf"(net_layer_{i}_{name}\[\d+\] = )\{{[^}}]*\}}"
            code = re.sub(pattern, rf"\g<1>{array(values)}", code, count=1)
    call = "net_predict" if task.classes else "net_regress1"
    return local(code) + entry(f"    return {call}(x, {task.X.shape[1]});\n", task.classes)


def _emlearn(module: str) -> Any:
    """The module. Its import would make NumPy raise on underflow for the rest of the process."""
    with np.errstate():
        return import_module(module)


def headers() -> dict[str, str]:
    emlearn = _emlearn("emlearn")
    return {file.name: local(file.read_text()) for file in Path(emlearn.__file__).parent.glob("eml_*.h")}


def local(text: str) -> str:
    """Its own headers lie beside the source."""
    return re.sub(r"#include <(eml_\w+\.h)>", r'#include "\1"', text) + "\n"
