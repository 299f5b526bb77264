"""C from integer inputs equals Python bit for bit, over hostile rows and under sanitizers."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pytest

from neuraltree.compress.formats import INPUT_TYPES, InputSpec
from neuraltree.compress.input_types import checked_inputs, in_units, sources
from neuraltree.compress.int8.integer_tree import IntegerTree, quantize_tree
from neuraltree.export import export_c
from neuraltree.export.c import library
from neuraltree.export.c.bound import tree_bounds
from neuraltree.export.names import members
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree
from tests.compress.test_early_exit import everywhere
from tests.helpers.integer_inputs import IntegerInputOracle
from tests.helpers.random_models import IDENTITY, KINDS, TANH, edge_models, random_model, record

ROWS, FEW_ROWS = 100_000, 2_000  # of a model, of a wide one
FLAGS = ("-std=c99", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
SANITIZERS = ("-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all")
needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler: cc is not on PATH")


def for_integers(tree: Tree, seed: int) -> Tree:
    """The tree with means and ranges of a sensor: within 16 bits, the first input and every third within 8."""
    rng = np.random.default_rng(seed)
    width = len(tree.features)
    small = np.arange(width) % 3 == 0
    mean = np.where(small, rng.uniform(20, 235, width), rng.uniform(-9000, 9000, width))
    scale = np.where(small, rng.uniform(0.1, 60, width), np.exp(rng.uniform(-2, 9, width)))
    return Tree(
        tree.nodes,
        tree.kind,
        tree.features,
        tree.classes,
        Scaler(mean, scale),
        tree.target_scaler,
        tree.input_range,
        threshold=tree.threshold,
    )


ALL16: InputSpec = "int16"
MIXED: InputSpec = {"default": "int16", "x0": "uint8"}
WITH_FLOAT: InputSpec = {"default": "int16/0.5", "x0": "uint8", "x1": "float32"}


@dataclass(frozen=True)
class Case:
    name: str
    tree: Tree
    spec: InputSpec
    precision: str
    style: str
    fine: bool = False
    exits: str = ""  # the places of the checks for an early exit

    @cached_property
    def files(self) -> dict[str, str]:
        options: dict[str, Any] = {"precision": self.precision, "style": self.style, "fine": self.fine}
        with pytest.MonkeyPatch.context() as patch:
            if self.exits == "everywhere":
                patch.setattr(library, "early_exit_of", everywhere)
            return export_c(self.tree, self.name, inputs=self.spec, early_exit=bool(self.exits), **options)

    @cached_property
    def integers(self) -> IntegerTree:
        return quantize_tree(self.tree, fine=self.fine, sources=sources(self.tree, self.spec))

    @property
    def types(self) -> list[tuple[str, float]]:
        return [(one.kind, one.scale) for one in checked_inputs(self.tree, self.spec)]

    @property
    def rows(self) -> int:
        return ROWS if len(self.tree.features) < 30 else FEW_ROWS

    @cached_property
    def X(self) -> np.ndarray:
        """(rows, inputs) numbers that the types hold: their edges, near and far from the mean, and any."""
        rng = np.random.default_rng(len(self.name))
        scaler, width, rows = self.tree.scaler, len(self.tree.features), self.rows
        assert scaler is not None
        X = np.empty((rows, width))
        for i, (kind, scale) in enumerate(self.types):
            near = scale * (scaler.mean[i] + scaler.scale[i] * 3 * rng.normal(size=rows))
            if kind == "float32":
                X[:, i] = near.astype(np.float32)
                X[:8, i] = [0, -0.0, np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-45]
                continue
            low, high = int(INPUT_TYPES[kind].low), int(INPUT_TYPES[kind].high)
            any_number = rng.integers(low, high + 1, rows)
            X[:, i] = np.where(rng.random(rows) < 0.5, any_number, np.clip(np.rint(near), low, high))
            X[:8, i] = [low, high, low + 1, high - 1, max(low, -1), 0, 1, low]
        mixed = slice(8, 200)
        X[mixed] = X[rng.integers(0, 8, X[mixed].shape), np.arange(width)]
        return X


def _cases() -> list[Case]:
    edges = edge_models()
    trees = {f"random_{i}": random_model(100 + i, *kind) for i, kind in enumerate(KINDS)}
    trees |= {
        name: edges[name] for name in ("constant", "threshold_low", "features_300", "pruned_outputs", "all_kinds")
    }
    trees = {name: for_integers(tree, i) for i, (name, tree) in enumerate(trees.items())}
    found = []
    for i, (name, tree) in enumerate(trees.items()):
        spec = (ALL16, MIXED, WITH_FLOAT)[i % 3] if len(tree.features) > 1 else ALL16
        for precision in ("int8", "float32")[: 2 if name in OF_FLOATS else 1]:
            for style in ("straight", "table")[: 1 if name == "features_300" else 2]:
                found.append(Case(f"{name}_{precision}_{style}", tree, spec, precision, style))
    fine = trees["random_0"]
    found += [Case(f"fine_{style}", fine, ALL16, "int8", style, fine=True) for style in ("straight", "table")]
    small = for_integers(random_model(7, "binary"), 3)
    small = Tree(
        small.nodes,
        "binary",
        small.features,
        small.classes,
        Scaler(np.full(len(small.features), 100.0), np.full(len(small.features), 40.0)),
        input_range=small.input_range,
    )
    found += [Case(f"bytes_{style}", small, "uint8", "int8", style) for style in ("straight", "table")]
    return found + _exit_cases(trees)


def _exit_cases(trees: dict[str, Tree]) -> list[Case]:
    """Classifiers that stop early, of every kind of input."""
    specs: dict[str, InputSpec] = {"floats": "float32", "all16": ALL16, "mixed": WITH_FLOAT}
    classifiers = {name: tree for name, tree in trees.items() if tree.kind != "regression"} | _of_leaves()
    return [
        Case(f"exit_{name}_{kind}_{exits}", tree, spec, "int8", "straight", exits=exits)
        for name, tree in classifiers.items()
        for kind, spec in specs.items()
        if len(tree.features) > 1 or kind != "mixed"
        for exits in ("chosen", "everywhere")[: 2 if kind != "mixed" else 1]
    ]


def _of_leaves() -> dict[str, Tree]:
    """Outputs that read inputs themselves, some with sums of which the last 1 decides."""
    rng = np.random.default_rng(8)
    found = {}
    for outputs in (1, 3):
        rows: list[tuple[int, int, float, float]] = []
        for _ in range(outputs):
            rows += [(0, IDENTITY, 0.0, 0.1), *((1, i, float(w), 0.0) for i, w in enumerate(rng.normal(size=6)))]
            rows += [(1, TANH, 0.7, 0.1), (2, 0, 1.0, 0.0), (2, 6, -0.5, 0.0)]
        found[f"leaves_{outputs}"] = record(rows)
    step = 4 / 127**2
    near = [(0, IDENTITY, 0.0, 2 * step), (1, 0, 1.0, 0.0), (1, 1, 1 / 127, 0.0), (1, 2, -2 / 127, 0.0)]
    found["near"] = record(near)
    names = tuple(f"x{i}" for i in range(7))
    return {
        name: for_integers(
            Tree(nodes, "multiclass" if "3" in name else "binary", names, ("a", "b", "c")[: 3 if "3" in name else 2]), i
        )
        for i, (name, nodes) in enumerate(found.items())
    }


OF_FLOATS = ("random_0", "random_3", "random_5", "all_kinds")  # trees whose float code is compiled too
CASES = _cases()


def runner(case: Case) -> str:
    """A function that runs a model over rows of doubles: the prediction, then what has no floats, then shares."""
    name, types = case.name, [kind for kind, _ in case.types]
    classes, width = len(case.tree.classes or ()), len(types)
    if len(set(types)) > 1:
        fields = zip(members(case.tree.features), types, strict=True)
        fill = "".join(f"    x.{field} = ({INPUT_TYPES[k].c_type})row[{i}];\n" for i, (field, k) in enumerate(fields))
        declared, x = f"    struct {name}_input x;\n", "&x"
    else:
        c_type = INPUT_TYPES[types[0]].c_type
        fill = "".join(f"    x[{i}] = ({c_type})row[{i}];\n" for i in range(width))
        declared, x = f"    {c_type} x[{width}];\n", "x"
    lines = f"    *found++ = (double){name}_predict({x});\n"
    if case.exits and case.spec == "float32":  # the entry from integers stops early as well
        room = f"int8_t q[{name.upper()}_INTEGERS]"
        lines = f"    {{ {room}; {name}_quantize(x, q); *found++ = (double){name}_predict_q(q); }}\n" + lines
    if case.precision == "int8":
        lines += f"    *found++ = (double){name}_{'confidence' if classes else 'predict_fixed'}({x});\n"
    if classes:
        lines += f"    {name}_probabilities({x}, p);\n    for (k = 0; k < {classes}; ++k) {{ *found++ = p[k]; }}\n"
    room = f"    float p[{classes}];\n    int k;\n" if classes else ""
    body = f"{declared}{room}{fill}{lines}    return found;\n"
    head = f"double *{name}_row(const double *row, double *found)"
    return f"{head};\n{head}\n{{\n{body}}}\n"


PROGRAM = """#include <stdio.h>
#include <stdlib.h>
typedef double *row_fn(const double *, double *);
static void run(const char *name, row_fn *row, size_t width)
{{
    char path[200];
    double x[{widest}], out[64];
    FILE *in, *to;
    snprintf(path, sizeof path, "%s.in", name);
    in = fopen(path, "rb");
    snprintf(path, sizeof path, "%s.out", name);
    to = fopen(path, "wb");
    while (fread(x, sizeof(double), width, in) == width) {{
        const size_t count = (size_t)(row(x, out) - out);
        fwrite(out, sizeof(double), count, to);
    }}
    fclose(in);
    fclose(to);
}}
int main(void)
{{
    int wrong = 0;
{calls}    return wrong;
}}
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """By case what its C gives: (rows, numbers); all self-tests of the exports pass on the way."""
    made = tmp_path_factory.mktemp("integers")
    (made / "test").mkdir()
    calls, selves = "", ""
    for case in CASES:
        for file, text in case.files.items():
            if file.endswith((".c", ".h")):
                (made / file).write_text(text)
        case.X.tofile(made / f"{case.name}.in")
        own = ("main", "nt_inputs", "nt_expected", "nt_tolerance")
        selves += f"int {case.name}_main(void);\n" + "".join(f"#define {o} {case.name}_{o}\n" for o in own)
        selves += f'#include "test/{case.name}_test.c"\n' + "".join(f"#undef {o}\n" for o in own)
        calls += f'    wrong |= {case.name}_main();\n    run("{case.name}", {case.name}_row, {case.X.shape[1]});\n'
    heads = "".join(f'#include "{case.name}.h"\n' for case in CASES)
    program = PROGRAM.format(widest=max(case.X.shape[1] for case in CASES), calls=calls)
    (made / "main.c").write_text(heads + "".join(map(runner, CASES)) + selves + program)
    sources_of = [f"{case.name}.c" for case in CASES]
    built = subprocess.run(
        ["cc", *FLAGS, *SANITIZERS, "-I.", "main.c", *sources_of, "-o", "all"], cwd=made, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr[:3000]
    ran = subprocess.run(["./all"], cwd=made, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout[-2000:] + ran.stderr[:2000]
    return {case.name: np.fromfile(made / f"{case.name}.out").reshape(case.rows, -1) for case in CASES}


@needs_compiler
@pytest.mark.parametrize("case", [case for case in CASES if case.precision == "int8"], ids=lambda case: case.name)
def test_integers_give_the_bits_of_python(case: Case, results: dict[str, np.ndarray]) -> None:
    found, tree = results[case.name], case.integers
    q = tree.quantize(case.X)
    if case.tree.classes is None:
        assert found[:, 0].astype(np.float32).tobytes() == tree.outputs.values(tree.predict_q(q)).tobytes()
        assert np.array_equal(found[:, 1], tree.predict_fixed(case.X))
        return
    assert np.array_equal(found[:, 0], tree.predict_q(q))
    found = found[:, 1:] if case.exits and case.spec == "float32" else found
    assert np.array_equal(found[:, 0], tree.predict_q(q))
    assert np.array_equal(found[:, 1], tree.confidence(case.X))
    assert np.abs(found[:, 2:] - tree.predict_proba(case.X)).max() < 1e-5


@needs_compiler
@pytest.mark.parametrize("case", [case for case in CASES if case.precision == "float32"], ids=lambda case: case.name)
def test_floats_from_integers_are_those_of_the_tree(case: Case, results: dict[str, np.ndarray]) -> None:
    finite = np.isfinite(case.X).all(axis=1) & (np.abs(case.X) < 1e30).all(axis=1)
    X, found = case.X[finite], results[case.name][finite]
    of = sources(case.tree, case.spec)
    _, errors = tree_bounds(in_units(case.tree, of), X)
    truth = case.tree.outputs(X / np.array([source.scale for source in of]))
    if case.tree.classes is None:
        assert (np.abs(found[:, 0] - truth[:, 0]) <= errors[:, 0] + 1e-37).all()
        return
    clear = np.abs(truth - case.tree.logit_threshold)[:, 0] > errors[:, 0]
    wanted = (truth[:, 0] > case.tree.logit_threshold).astype(int)
    if truth.shape[1] > 1:
        order = np.sort(truth, axis=1)
        clear, wanted = order[:, -1] - order[:, -2] > 2 * errors.max(axis=1), truth.argmax(axis=1)
    assert clear.mean() > 0.5
    assert np.array_equal(found[clear, 0], wanted[clear])


@pytest.mark.parametrize("case", [case for case in CASES if case.precision == "int8"], ids=lambda case: case.name)
def test_python_gives_what_plain_arithmetic_gives(case: Case) -> None:
    """The reference itself, against recursion over plain numbers."""
    oracle, rows = IntegerInputOracle(case.tree, case.types, case.fine), case.X[: min(40, 2000 // case.X.shape[1])]
    tree = case.integers
    q = tree.quantize(rows)
    assert q.tolist() == [oracle.quantize(row) for row in rows.tolist()]
    assert tree.predict_q(q).tolist() == [oracle.predict_q(row) for row in q.tolist()]


def test_cases_cover_what_there_is() -> None:
    kinds: set[Any] = {(case.tree.kind, case.tree.output_activation) for case in CASES}
    assert kinds >= {(kind, output) for kind, output, _ in KINDS}
    assert {frozenset(kind for kind, _ in case.types) for case in CASES} >= {
        frozenset({"int16"}),
        frozenset({"uint8"}),
        frozenset({"int16", "uint8"}),
        frozenset({"int16", "uint8", "float32"}),
    }
    stopping = {case.tree.kind for case in CASES if "nt_decide" in case.files[f"{case.name}.c"]}
    assert stopping == {"binary", "multiclass"}
