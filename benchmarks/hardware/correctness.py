"""Exported C against Python on this machine, under the address and undefined-behaviour sanitizers."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.hardware.bounds import largest_sums
from neuraltree.compress.formats import PRECISIONS, STYLES
from neuraltree.compress.int8.integer_tree import quantize_tree
from neuraltree.export.c.bound import error_bound
from neuraltree.export.c.library import export_c
from neuraltree.tasks.links import class_outputs
from neuraltree.tree.tree import Tree

INPUTS = 1000
BATCH = 20  # models a program
COMPILER = "gcc"
SANITIZERS = ("-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all")
FLAGS = ("-std=c99", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", *SANITIZERS)
LARGEST_SUM = 1e37  # beyond it a sum may leave the range of single floats
LEAST = 1e-37  # and below it their products vanish
ODD = (0.0, -0.0, 1e-45, -1e-45, 1e-38, 3.4028235e38, -3.4028235e38, np.inf, -np.inf, np.nan, 1e6, -1e6, 1e12)


class Found(NamedTuple):
    """The result for one model: the number of inputs compared, and the number of wrong outputs."""

    compared: int
    mismatches: int
    sanitizer_reports: int = 0


@dataclass(frozen=True)
class Model:
    """One program's model: ``name`` is that of its C functions."""

    name: str
    tree: Tree
    precision: str
    style: str
    seed: int

    @cached_property
    def X(self) -> NDArray[np.float32]:
        return odd_inputs(self.tree, INPUTS, self.seed)

    @property
    def classes(self) -> int:
        return len(self.tree.classes or ())

    @cached_property
    def integers(self) -> int:
        """The length of the array of integers, at least one; 0 for float32."""
        return max(len(quantize_tree(self.tree).inputs.features), 1) if self.precision == "int8" else 0

    @property
    def record(self) -> np.dtype:
        """The record that the program writes for each input."""
        value = [("value", "<i4" if self.classes else "<f4")]
        shares = [("p", "<f4", (self.classes,))] if self.classes else []
        integers = [("q", "i1", (self.integers,)), ("score", "<i4")] if self.integers else []
        return np.dtype([*value, *shares, *integers])


def available() -> bool:
    """Whether gcc with the sanitizers is installed."""
    if shutil.which(COMPILER) is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        command = [COMPILER, *SANITIZERS, "-x", "c", "-", "-o", "probe"]
        text = "int main(void){return 0;}"
        return subprocess.run(command, cwd=folder, input=text, text=True, capture_output=True).returncode == 0


def check_all(trees: Sequence[Tree], tick: Callable[[], None]) -> list[dict[str, int | str]]:
    """A row for each precision and style; ``tick`` is called after each model. No row without gcc."""
    if not available():
        return []
    found = []
    for precision in PRECISIONS:
        for style in STYLES:
            models = [Model(f"m{i}", tree, precision, style, i) for i, tree in enumerate(trees)]
            batches = [models[i : i + BATCH] for i in range(0, len(models), BATCH)]
            with ThreadPoolExecutor(2) as threads:
                rows = [row for batch in threads.map(lambda batch: check(batch, tick), batches) for row in batch]
            totals = dict(zip(Found._fields, (sum(column) for column in zip(*rows, strict=True)), strict=True))
            about = {"precision": precision, "style": style, "trees": len(trees), "inputs": len(trees) * INPUTS}
            found.append({**about, **totals})
    return found


def check(models: Sequence[Model], tick: Callable[[], None]) -> list[Found]:
    """Compile the models into one program, run it on their inputs and compare what it wrote."""
    with tempfile.TemporaryDirectory(prefix="neuraltree-") as name:
        folder = Path(name)
        for model in models:
            files = export_c(model.tree, model.name, precision=model.precision, style=model.style)
            for file in (f"{model.name}.h", f"{model.name}.c"):
                (folder / file).write_text(files[file])
            model.X.tofile(folder / f"{model.name}.in")
        (folder / "main.c").write_text(program(models))
        sources = [f"{model.name}.c" for model in models]
        _run([COMPILER, *FLAGS, *sources, "main.c", "-o", "check"], folder)
        done = [subprocess.run(["./check", model.name], cwd=folder, capture_output=True, text=True) for model in models]
        found = []
        for model, run in zip(models, done, strict=True):
            result = Found(0, 0, 1) if run.returncode else compare(model, _written(folder, model))
            found.append(result)
            tick()
        return found


def _written(folder: Path, model: Model) -> NDArray:
    return np.fromfile(folder / f"{model.name}.out", model.record)


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"error: exported C does not compile: {done.stderr.strip().splitlines()[0]}")


def program(models: Sequence[Model]) -> str:
    """A program that runs the model its argument names over the inputs of a file, into a file."""
    includes = "".join(f'#include "{model.name}.h"\n' for model in models)
    calls = "".join(
        f'    if (strcmp(argv[1], "{m.name}") == 0) {{\n        run_{m.name}();\n        return 0;\n    }}\n'
        for m in models
    )
    return f"""#include <stdio.h>
#include <string.h>
{includes}{"".join(map(_function, models))}
int main(int argc, char **argv)
{{
    if (argc != 2) {{
        return 2;
    }}
{calls}    return 3;
}}
"""


def _function(model: Model) -> str:
    name, upper = model.name, model.name.upper()
    kind = "int32_t" if model.classes else "float"
    lines = [f"const {kind} value = {name}_predict(x);", "fwrite(&value, 4, 1, out);"]
    if model.classes:
        lines += [f"float p[{upper}_CLASSES];", f"{name}_probabilities(x, p);", "fwrite(p, sizeof p, 1, out);"]
    if model.integers:
        lines += [f"int8_t q[{upper}_INTEGERS];", "int32_t score;", f"{name}_quantize(x, q);"]
        lines += [f"score = {name}_predict_q(q);", "fwrite(q, sizeof q, 1, out);", "fwrite(&score, 4, 1, out);"]
    body = "".join(f"        {line}\n" for line in lines)
    return f"""
static void run_{name}(void)
{{
    FILE *in = fopen("{name}.in", "rb"), *out = fopen("{name}.out", "wb");
    float x[{upper}_FEATURES];
    while (fread(x, sizeof x, 1, in) == 1) {{
{body}    }}
    fclose(in);
    fclose(out);
}}
"""


def compare(model: Model, found: NDArray) -> Found:
    """``found``: a record an input, see ``Model.record``."""
    if len(found) != INPUTS:
        return Found(INPUTS, INPUTS)
    compared, wrong = (_integers if model.integers else _floats)(model, found)
    if model.classes:
        shares = found["p"].astype(np.float64)
        fine = ((shares >= 0) & (shares <= 1)).all(axis=1) & (np.abs(shares.sum(axis=1) - 1) < 1e-5)
        wrong |= ~fine | (found["value"] < 0) | (found["value"] >= model.classes)
    return Found(compared, int(wrong.sum()))


def _integers(model: Model, found: NDArray) -> tuple[int, NDArray[np.bool_]]:
    tree = quantize_tree(model.tree)
    q = tree.quantize(model.X)
    scores = tree.predict_q(q)
    wrong = (found["q"][:, : q.shape[1]] != q).any(axis=1) | (found["score"] != scores)
    if model.classes:
        return INPUTS, wrong | (found["value"] != scores)
    return INPUTS, wrong | (found["value"].view("<u4") != tree.predict(model.X).astype(np.float32).view("<u4"))


def _floats(model: Model, found: NDArray) -> tuple[int, NDArray[np.bool_]]:
    X = model.X.astype(np.float64)
    centred, taken = model.tree.centred()
    nodes = centred.folded()
    with np.errstate(all="ignore"):
        inside = np.isfinite(X).all(axis=1) & (largest_sums(nodes, X - taken) < LARGEST_SUM)
        _, bounds = error_bound(nodes, X - taken)
        truth = model.tree.outputs(X)
        if not model.classes:
            return int(inside.sum()), inside & ~(np.abs(found["value"] - truth[:, 0]) <= bounds[:, 0] + LEAST)
        columns = class_outputs(truth)
        ordered = np.sort(columns, axis=1)
        clear = inside & (ordered[:, -1] - ordered[:, -2] > 2 * bounds.max(axis=1) + LEAST)
    return int(clear.sum()), clear & (found["value"] != columns.argmax(axis=1))


def odd_inputs(tree: Tree, rows: int, seed: int) -> NDArray[np.float32]:
    """(rows, features): whole rows of each odd value, then rows with some of them, then normal in scaled units."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(rows, len(tree.features))) * rng.choice([0.5, 1.0, 3.0], size=(rows, 1))
    odd = np.array(ODD, dtype=np.float32)
    with np.errstate(over="ignore"):
        X = (Z if tree.scaler is None else tree.scaler.inverse(Z)).astype(np.float32)
    X[: len(odd)] = odd[:, None]
    mixed = slice(len(odd), len(odd) + rows // 10)
    chosen = rng.random(X[mixed].shape) < 0.3
    X[mixed] = np.where(chosen, rng.choice(odd, size=chosen.shape), X[mixed])
    return X
