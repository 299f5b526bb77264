"""Models of scikit-learn exported by emlearn and m2cgen, measured like ours."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.hardware.judging_trees import JUDGED_SEED, Amounts, front
from neuraltree.compress.int8.integer_tree import quantize_tree
from neuraltree.hardware.measure import store, toolchains
from neuraltree.hardware.measure.cores import Core, MeasureError, core_named
from neuraltree.hardware.measure.counting import Counter
from neuraltree.hardware.measure.emulator import Machine
from neuraltree.hardware.measure.image import Built
from neuraltree.hardware.measure.timing import TIMINGS
from neuraltree.hardware.measured_models import measure_model
from search.config.settings import Config, DataConfig, TaskConfig
from search.front import Front, Member
from search.table import load_table, split

TABLES = {"iris": "iris", "wine": "wine", "breast_cancer": "wdbc"}
TEST_FRACTION = 0.2  # of search
WITHIN = 0.02  # of the validation error: a member within it counts as comparable
FIGURES = ("instructions", "cycles", "flash_bytes", "ram_bytes")
# Without this, newlib's errno adds a kilobyte of variables.
ERRNO = "int *__errno(void);\nint *__errno(void)\n{\n    static int nt_errno;\n    return &nt_errno;\n}\n"
MEMCPY = "void *memcpy(void *, const void *, __SIZE_TYPE__);"


@dataclass(frozen=True)
class Parts:
    """Rows of a table; classes are their positions."""

    X: NDArray[np.float64]
    y: NDArray[np.int64]
    test_X: NDArray[np.float64]
    test_y: NDArray[np.int64]


@dataclass(frozen=True)
class Peer:
    """C files with ``int predict(const TYPE *x)``; ``library``: it needs functions of <math.h>.

    ``accuracy``: accuracy of the model in Python on the test rows.
    """

    name: str
    accuracy: float
    files: Mapping[str, str]
    dtype: type
    library: bool


def rows_of(amounts: Amounts, cores: list[str], compilers: list[str]) -> Iterator[dict[str, Any]]:
    """A row for each table, model, core and compiler: ours, then the peers."""
    for table, title in TABLES.items():
        if table not in amounts.tables:
            continue
        parts = parts_of(table)
        for core in cores:
            for compiler in compilers:
                for row in [
                    *_ours(front(table, amounts), parts, core, compiler),
                    *_peers(table, parts, core, compiler),
                ]:
                    yield {"table": title, "core": core, "compiler": compiler, **row}


def parts_of(name: str) -> Parts:
    """The same split as the search's."""
    table = load_table(Config(DataConfig(name), task=TaskConfig()))
    train, test = split(table, TEST_FRACTION, JUDGED_SEED)
    return Parts(table.X[train], table.y[train], table.X[test], table.y[test])


def _ours(found: Front, parts: Parts, core: str, compiler: str) -> Iterator[dict[str, Any]]:
    for name, member in chosen(found).items():
        tree = member.tree()
        assert tree.classes is not None
        truth = np.array(tree.classes)[parts.test_y]
        for precision, style in (("float32", "straight"), ("int8", "straight"), ("int8", "table")):
            answers = tree if precision == "float32" else quantize_tree(tree)
            accuracy = float(np.mean(answers.predict(parts.test_X) == truth))
            taken = measure_model(tree, core, compiler, precision=precision, style=style)
            title = f"neuraltree {name} ({int(member.weights)} weights) {precision} {style}"
            figures = {figure: getattr(taken, figure) for figure in FIGURES}
            yield {"model": title, "accuracy": accuracy, **figures, "note": ""}


def chosen(found: Front) -> dict[str, Member]:
    """Choose by honest error, not by test rows."""
    best = found.lowest()
    near = [member for member in found if member.honest_error <= best.honest_error + WITHIN]
    return {"most accurate": best, "knee": found.knee(), "cheapest": min(near, key=lambda row: row.latency_s)}


def _peers(table: str, parts: Parts, core: str, compiler: str) -> Iterator[dict[str, Any]]:
    for name, make in PEERS.items():
        nothing = {"model": name, **dict.fromkeys(("accuracy", *FIGURES))}
        if find_spec(name.split()[0]) is None:
            yield {**nothing, "note": "not installed (extra dev)"}
            continue
        peer = _made(name, make, table, parts)
        if peer.library and compiler != "gcc":
            yield {**nothing, "accuracy": peer.accuracy, "note": "needs <math.h>: gcc only"}
            continue
        try:
            yield {"model": name, **measured(peer, parts, core, compiler)}
        except MeasureError as error:
            yield {**nothing, "accuracy": peer.accuracy, "note": str(error)}


_MADE: dict[tuple[str, str], Peer] = {}


def _made(name: str, make: Callable[[str, Parts], Peer], table: str, parts: Parts) -> Peer:
    if (table, name) not in _MADE:
        _MADE[table, name] = make(name, parts)
    return _MADE[table, name]


def measured(peer: Peer, parts: Parts, core: str, compiler: str) -> dict[str, Any]:
    """Means over all test rows, and the accuracy of the core's outputs; cached like other measurements."""
    target = core_named(core)
    toolchains.check(target, compiler)
    files = dict(peer.files) | ({"errno.c": ERRNO} if peer.library else {})
    X = parts.test_X.astype(peer.dtype)
    options = toolchains.flags(target, compiler, ["predict"])
    key = store.key("peer", files, X, toolchains.version(target, compiler), options, target, repr(TIMINGS[core]))
    kept = store.read(key)
    if kept is None:
        libraries = ("-lm",) if peer.library else ()
        kept = _taken(toolchains.build(files, ["predict"], target, compiler, libraries=libraries), X, target)
        store.write(key, kept)
    accuracy = float(np.mean(kept["classes"] == parts.test_y))
    note = "" if accuracy == peer.accuracy else f"scikit-learn's own accuracy is {peer.accuracy:.3f}"
    return {"accuracy": accuracy, **{name: float(kept[name]) for name in FIGURES}, "note": note}


def _taken(built: Built, X: NDArray, core: Core) -> store.Arrays:
    machine = Machine(built, core)
    counter = Counter(core, machine.memory)
    done = [machine.call("predict", (row,), "int32") for row in X]
    counts = [counter.count(row.trace) for row in done]
    figures = {
        "instructions": np.mean([count.instructions for count in counts]),
        "cycles": np.mean([(count.cycles_lo + count.cycles_hi) / 2 for count in counts]),
        "flash_bytes": built.flash_bytes,
        "ram_bytes": built.static_ram_bytes + max(row.stack_bytes for row in done),
        "classes": [row.result for row in done],
    }
    return {name: np.array(values) for name, values in figures.items()}


# ---- the models ----


def _network(hidden: int, activation: str) -> Callable[[str, Parts], Peer]:
    def make(name: str, parts: Parts) -> Peer:
        import emlearn
        from sklearn.neural_network import MLPClassifier
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler().fit(parts.X)
        model = MLPClassifier((hidden,), activation=activation, max_iter=3000, random_state=JUDGED_SEED)
        model.fit(scaler.transform(parts.X), parts.y)
        # Fold the scaling into the first layer, so that the C code takes raw inputs as ours does.
        weights = model.coefs_[0] / scaler.scale_[:, None]
        model.coefs_[0], model.intercepts_[0] = weights, model.intercepts_[0] - scaler.mean_ @ weights
        accuracy = float(model.score(parts.test_X, parts.test_y))
        folder = Path(emlearn.__file__).parent
        headers = {file.name: _local(file.read_text()) for file in folder.glob("eml_*.h")}
        with tempfile.TemporaryDirectory() as empty, contextlib.chdir(empty):  # it leaves files where it runs
            code = emlearn.convert(model, method="loadable").save(name="net")
        files = {**headers, "net.c": _local(code) + _entry("float", f"net_predict(x, {parts.X.shape[1]})")}
        return Peer(name, accuracy, files, np.float32, True)

    return make


def _local(text: str) -> str:
    """Its own headers lie beside the source."""
    lines = [f'#include "{line[10:-1]}"' if line.startswith("#include <eml_") else line for line in text.splitlines()]
    return "\n".join(lines) + "\n"


def _emlearn_trees(forest: bool) -> Callable[[str, Parts], Peer]:
    def make(name: str, parts: Parts) -> Peer:
        import emlearn

        model = _tree_model(forest).fit(parts.X.astype(np.float32), parts.y)
        accuracy = float(model.score(parts.test_X.astype(np.float32), parts.test_y))
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # it leaves files where it runs
            code = emlearn.convert(model, method="inline", dtype="float").save(name="trees", file="trees.h", format="c")
        files = {"trees.c": _local(code) + _entry("float", f"trees_predict(x, {parts.X.shape[1]})")}
        return Peer(name, accuracy, files, np.float32, False)

    return make


def _tree_model(forest: bool) -> Any:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.tree import DecisionTreeClassifier

    if forest:
        return RandomForestClassifier(10, max_depth=5, random_state=JUDGED_SEED)
    return DecisionTreeClassifier(max_depth=5, random_state=JUDGED_SEED)


def _m2cgen(model: Callable[[], Any], scaled: bool = False) -> Callable[[str, Parts], Peer]:
    def make(name: str, parts: Parts) -> Peer:
        import m2cgen
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler().fit(parts.X) if scaled else None
        fitted = model().fit(scaler.transform(parts.X) if scaler else parts.X, parts.y)
        if scaler:
            fitted.coef_ = fitted.coef_ / scaler.scale_
            fitted.intercept_ = fitted.intercept_ - fitted.coef_ @ scaler.mean_
        accuracy = float(fitted.score(parts.test_X, parts.test_y))
        code = m2cgen.export_to_c(fitted).replace("#include <string.h>", MEMCPY)
        classes = int(parts.y.max()) + 1
        files = {"score.c": code + (_DOUBLE_ARGMAX if "output" in code else _DOUBLE_SIGN).replace("@N@", str(classes))}
        return Peer(name, accuracy, files, np.float64, False)

    return make


def _entry(kind: str, call: str) -> str:
    return f"int predict(const {kind} *x);\nint predict(const {kind} *x)\n{{\n    return (int){call};\n}}\n"


_DOUBLE_ARGMAX = """int predict(double *x);
int predict(double *x)
{
    double y[@N@];
    int best = 0;
    score(x, y);
    for (int k = 1; k < @N@; ++k) {
        best = y[k] > y[best] ? k : best;
    }
    return best;
}
"""
_DOUBLE_SIGN = "int predict(double *x);\nint predict(double *x)\n{\n    return score(x) > 0.0;\n}\n"


def _logistic() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=3000)


PEERS: dict[str, Callable[[str, Parts], Peer]] = {
    "emlearn MLP (10, tanh)": _network(10, "tanh"),
    "emlearn MLP (100, relu)": _network(100, "relu"),
    "emlearn decision tree, depth 5": _emlearn_trees(False),
    "emlearn forest, 10 trees of depth 5": _emlearn_trees(True),
    "m2cgen decision tree, depth 5": _m2cgen(lambda: _tree_model(False)),
    "m2cgen forest, 10 trees of depth 5": _m2cgen(lambda: _tree_model(True)),
    "m2cgen logistic regression": _m2cgen(_logistic, scaled=True),
}
