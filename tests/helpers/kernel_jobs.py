"""Jobs for the compiled kernel: made at random, and run in this process or by a program for another processor."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import NAMES, code_of
from neuraltree.engine.forest import Forest, load_params, pack
from neuraltree.engine.kernel.binding import FUNCTIONS, PRECISIONS, Job
from neuraltree.engine.kernel.source import FLAGS, FOLDER, LOSS_CODES, OPTIMIZER_CODES, rows_header
from neuraltree.engine.optimizers import OPTIMIZERS
from neuraltree.engine.training import JUDGES
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import join, node_dtype
from neuraltree.tree.space import Space

BARE = ("-DBARE", "-nostdlib", "-static")  # without a C library: see bare.h
DECLARED = """#pragma once
#include <stddef.h>
void *malloc(size_t), *calloc(size_t, size_t);
void free(void *);
void *memcpy(void *restrict, const void *restrict, size_t), *memset(void *, int, size_t);
"""
DRIVER = Path(__file__).with_name("kernel_driver.c")
ROWS, FEATURES, FOLDS = 150, 5, 3
STATUS = {"done": 0, "forest": 3, "rows": 4, "settings": 5}  # as in kernel.h


class Work(NamedTuple):
    """A call of the kernel: the plain fields of its job, and its arrays in the order of the fields."""

    function: str
    precision: str
    sizes: dict[str, Any]
    arrays: dict[str, NDArray]

    @property
    def code(self) -> int:
        return 2 * FUNCTIONS.index(self.function) + PRECISIONS.index(self.precision)

    def job(self) -> Job:
        return Job(**self.sizes, **{name: array.ctypes.data for name, array in self.arrays.items()})

    def copy(self) -> Work:
        return self._replace(sizes=dict(self.sizes), arrays={name: array.copy() for name, array in self.arrays.items()})


class Outcome(NamedTuple):
    """The status of a call, and the bytes of all arrays after it. All NaNs are alike, as processors differ in them."""

    status: int
    arrays: dict[str, bytes]


def population(outputs: int, trees: int = 12) -> tuple[Forest, NDArray]:
    """A forest of random trees in which every activation occurs, and its parameters."""
    rng = np.random.default_rng(outputs)
    space = Space(FEATURES, outputs, NAMES, max_nodes=60)
    nodes, starts = join([random_tree(rng, space, max_nodes=30) for _ in range(trees)])
    packed = pack(nodes, starts, FEATURES)
    assert set(packed.forest.kind.tolist()) == set(range(len(NAMES)))
    return packed.forest, load_params(packed, nodes, "float64")[0]


def wide_trees(outputs: int, features: int = 250) -> tuple[Forest, NDArray]:
    """Two trees of hidden nodes that read most of many inputs, in passes; the leaves of one follow no order."""
    rng = np.random.default_rng(outputs)
    trees = []
    for ordered in (True, False):
        parts = []
        for i in range(4 * outputs):
            inputs = rng.choice(features, features - 20, replace=False)
            parts += [(0, code_of("identity"))] * (i % 4 == 0) + [(1, ~code_of("tanh"))]
            parts += [(2, each) for each in (np.sort(inputs) if ordered else inputs)]
        nodes = np.zeros(len(parts), node_dtype())
        nodes["depth"], nodes["op"] = zip(*parts, strict=True)
        nodes["op"][nodes["depth"] == 0] = ~code_of("identity")
        nodes["weight"], nodes["bias"] = 0.1 * rng.normal(size=(2, len(nodes), 1))
        trees.append(nodes)
    joined, starts = join(trees)
    packed = pack(joined, starts, features)
    return packed.forest, load_params(packed, joined, "float64")[0]


def work(
    function: str,
    precision: str = "float32",
    loss: str = "squared",
    optimizer: str = "adam",
    batch: int = 50,
    *,
    fold: int = 0,
    epochs: int = 3,
    rate: float = 0.05,
    judge: str = "loss",
    temperature: float = 0.0,
    make: Callable[[int], tuple[Forest, NDArray]] = population,
) -> Work:
    """A call about the trees that are made for this loss, and the rows of a fold; rows learn at a ``temperature``."""
    outputs = 3 if loss == "softmax" else 1
    forest, params = make(outputs)
    rng = np.random.default_rng(fold)
    part = np.arange(ROWS) % FOLDS == fold
    order = np.stack([rng.permutation(np.flatnonzero(~part)) for _ in range(2)]).astype(np.int32)
    rows = np.arange(ROWS) if function == "pullback" else np.flatnonzero(part)
    steps = -(-order.shape[1] // batch)
    sizes: dict[str, Any] = {
        "trees": forest.trees,
        "nodes": forest.nodes,
        "params": forest.params,
        "features": forest.features,
    }
    sizes |= {"outputs": outputs, "rows": ROWS, "shuffles": len(order), "fit_rows": order.shape[1], "batch": batch}
    sizes |= {"validation_rows": len(rows), "epochs": epochs, "patience": 2, "loss": LOSS_CODES[loss]}
    sizes |= {"optimizer": OPTIMIZER_CODES[optimizer], "judge": JUDGES.index(judge), "decay": 1e-3}
    sizes |= {"temperature": temperature}
    arrays = {name: getattr(forest, name) for name in ("first_node", "size", "kind", "first_param", "source")}
    arrays |= _data(np.random.default_rng(outputs), forest, loss, precision)
    arrays |= {"soft": rng.choice([0, 0.4, 1], size=ROWS).astype(precision)} if temperature else {}
    arrays |= {"order": order, "validation": rows.astype(np.int32), "rates": np.linspace(rate, 0, epochs * steps)}
    arrays |= {"limit": np.arange(forest.trees, dtype=np.int32) % 3 + 1, "l1": np.linspace(0, 0.3, forest.trees)}
    arrays |= {"group_l1": np.linspace(0.4, 0, forest.trees)}
    if learning := OPTIMIZERS[optimizer].learned:
        sizes["kappa_step"] = learning.kappa_step
        arrays["learned"] = learning.begin(forest.trees, 1.0, precision)
    arrays |= {"param": params.astype(precision), "stop": np.zeros(1, np.int32)}
    return Work(function, precision, sizes, arrays | _results(forest, rng, epochs, len(rows), precision))


def _data(rng: np.random.Generator, forest: Forest, loss: str, precision: str) -> dict[str, NDArray]:
    inputs, outputs = rng.normal(size=(ROWS, forest.features)), forest.outputs
    targets = inputs[:, :outputs] + 0.3 * rng.normal(size=(ROWS, outputs))
    if loss != "squared":
        targets = targets > 0 if outputs == 1 else np.eye(outputs)[targets.argmax(axis=1)]
    parts = {"inputs": inputs, "targets": targets, "weight": rng.uniform(0.5, 1.5, ROWS)}
    return {name: np.ascontiguousarray(part, dtype=precision) for name, part in parts.items()}


def _results(forest: Forest, rng: np.random.Generator, epochs: int, rows: int, precision: str) -> dict[str, NDArray]:
    """The arrays that the kernel fills; those of moments begin with zeros, that of outputs is read by ``pullback``."""
    found = rng.normal(size=(forest.trees, forest.outputs, rows)).astype(precision)
    arrays: dict[str, NDArray] = {name: np.zeros(forest.params, precision) for name in ("first", "second", "best")}
    arrays |= {"best_loss": np.zeros(forest.trees), "best_epoch": np.zeros(forest.trees, np.int32)}
    arrays |= {"losses": np.zeros((epochs, forest.trees)), "found": found}
    return arrays | {
        "slopes": np.zeros((forest.nodes, forest.features)),
        "by_input": np.zeros((ROWS, forest.features), precision),
    }


def run(library: Any, given: Work) -> Outcome:
    """The outcome of a call in this process."""
    mine = given.copy()
    status = library.nt_call(mine.code, ctypes.byref(mine.job()))
    return Outcome(status, {name: _same_nan(array).tobytes() for name, array in mine.arrays.items()})


def _same_nan(array: NDArray) -> NDArray:
    return np.where(np.isnan(array), np.nan, array).astype(array.dtype)


def compile_driver(folder: Path, compiler: Sequence[str], flags: Sequence[str]) -> Path:
    """A program that runs jobs by a kernel compiled with these flags; ``CalledProcessError`` if it cannot be made."""
    (folder / "rows.h").write_text(rows_header(()))
    if "-DBARE" in flags:
        (folder / "stdlib.h").write_text(DECLARED)
        (folder / "string.h").write_text(DECLARED)
    program = folder / "driver"
    sources = [str(FOLDER / "kernel.c"), str(DRIVER), "-o", str(program), *([] if "-DBARE" in flags else ["-lm"])]
    includes = [f"-I{folder}", f"-I{FOLDER}", "-DNT_VARIANT=_test"]
    subprocess.run([*compiler, *FLAGS, *flags, *includes, *sources], check=True, capture_output=True, text=True)
    return program


def run_driver(program: Sequence[str | Path], works: Sequence[Work]) -> list[Outcome]:
    """The outcomes of calls in another process; ``AssertionError`` with its standard error if it crashes."""
    done = subprocess.run(list(map(str, program)), input=b"".join(map(_dump, works)), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return list(_outcomes(memoryview(done.stdout), works))


def _dump(given: Work) -> bytes:
    job = given.job()
    parts = [np.array([given.code, ctypes.sizeof(job), len(given.arrays)]).tobytes(), bytes(job)]
    for name, array in given.arrays.items():
        parts += [np.array([getattr(Job, name).offset, array.nbytes]).tobytes(), array.tobytes()]
    return b"".join(parts)


def _outcomes(content: memoryview, works: Sequence[Work]) -> Iterator[Outcome]:
    at = 0
    for given in works:
        status, arrays = int(np.frombuffer(content, np.int64, 1, at)[0]), {}
        at += 8
        for name, array in given.arrays.items():
            arrays[name] = _same_nan(np.frombuffer(content, array.dtype, array.size, at)).tobytes()
            at += array.nbytes
        yield Outcome(status, arrays)
