"""What it takes to add an activation: a file and an entry in the table, tried in a copy of the package and its tools.

The copy's table may be longer than today's, so that the code of the new activation needs more than 3 bits.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.kernel_build import system_compilers

ROOT = Path(__file__).parents[2]
needs_compiler = pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler: apt-get install gcc")

SOFTSIGN = '''"""The softsign, s / (1 + |s|)."""

import numpy as np

from neuraltree.activations.kind import Activation, Integers, Look

SOFTSIGN = Activation(
    name="softsign",
    value=lambda s, xp=np: s / (1 + xp.abs(s)),
    derivative=lambda s, h, xp=np: xp.square(1 - xp.abs(h)),
    bounds=(-1, 1),
    steepest=1.0,
    alone=lambda functions: lambda s: s / (1 + abs(s)),
    c_text="s / (1 + fabsf(s))",
    c_function="""NT_CALL float nt_softsign(float s)
{
    return s / (1.0f + (s > 0.0f ? s : -s));
}
""",
    c_slope="(1.0f - (value > 0.0f ? value : -value)) * (1.0f - (value > 0.0f ? value : -value))",
    flops=5,
    shared=("addition", "division", "look_up"),
    priced_as="tanh",
    integers=Integers(domain=32.0),
    python="softsign({})",
    python_function="""def softsign(s):
    return s / (1 + np.abs(s))
""",
    onnx=lambda graph, s: graph.add("Softsign", s),
    formula="softsign",
    sympy=lambda s, sp: s / (1 + sp.Abs(s)),
    text="softsign(s) = s / (1 + |s|)",
    latex=r"\\operatorname{softsign}(s) &= \\frac{s}{1 + |s|}",
    look=Look("#8DD3C7", "p", "oo"),
    letter="f",
)
'''

# Below an output: the new activation above a tanh, and a sigmoid above it.
TREE = """
import subprocess, sys
from pathlib import Path
import numpy as np
from neuraltree import Tree, load, save
from neuraltree.activations import NAMES
from neuraltree.tree.nodes import node_dtype

NEW = NAMES.index("softsign")
rows = [(0, 5, 0, .1), (1, NEW, 1.5, .2), (2, 1, .8, -.3), (3, ~0, 1.2, 0), (2, ~1, -.4, 0), (1, 0, -2, .1),
        (2, NEW, 1.1, -.2), (3, ~0, .9, 0), (3, ~1, -1.7, 0)]
nodes = np.array([(depth, ~code, [weight], [bias]) for depth, code, weight, bias in rows], node_dtype())
tree = Tree(nodes, "regression", ("a", "b"))
X = np.random.default_rng(0).normal(size=(50, 2))


def f(s):
    return s / (1 + np.abs(s))


def g(s):
    return 1 / (1 + np.exp(-s))


a, b = X.T
wanted = 1.5 * f(.8 * np.tanh(1.2 * a - .3) - .4 * b + .2) - 2 * g(1.1 * f(.9 * a - 1.7 * b - .2) + .1) + .1


def compiled(files, name):
    for path, text in files.items():
        Path(name, path).parent.mkdir(parents=True, exist_ok=True)
        Path(name, path).write_text(text)
    sources = [path for path in files if path.endswith(".c")]
    subprocess.run(["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", *sources, "-o", "check"], cwd=name, check=True)
    subprocess.run(["./check"], cwd=name, check=True, stdout=subprocess.DEVNULL)
"""
C = """
from neuraltree.export import export_c, export_training

for precision in ("float32", "int8"):
    for style in ("straight", "table"):
        compiled(export_c(tree, "model", precision=precision, style=style), f"{precision}_{style}")
compiled(export_c(tree, "model", precision="int8", style="table", fine=True), "fine")
compiled(export_training(tree), "train")
"""
OTHERS = """
from neuraltree import NeuralTreeRegressor
from neuraltree.compress import quantize_tree
from neuraltree.export import export_latex, export_python, export_text
from neuraltree.hardware import costs, load_device
from neuraltree.plot.style import ACTIVATION_LOOKS

np.testing.assert_allclose(tree.predict(X), wanted, rtol=1e-12)
np.testing.assert_allclose([tree.predict_one(x) for x in X.tolist()], wanted, rtol=1e-12)
assert np.corrcoef(quantize_tree(tree).predict(X), wanted)[0, 1] > 0.98
module = {"__name__": "model"}
exec(export_python(tree), module)
np.testing.assert_allclose(module["predict"](X), wanted, rtol=1e-12)
assert "softsign(s) = s / (1 + |s|)" in export_text(tree) and "softsign" in export_latex(tree)
save(tree, "tree.json")
assert load("tree.json").nodes.tobytes() == nodes.tobytes()
found = costs(nodes, np.array([0, len(nodes)]), load_device("cortex-m0plus"), "float32", "straight")
assert found["latency_s"][0] > 0 and ACTIVATION_LOOKS["softsign"].colour == "#8DD3C7"
model = NeuralTreeRegressor(random_state=0, epochs=5, activations=("softsign", "tanh")).fit(X, wanted)
assert np.isfinite(model.predict(X)).all()
"""
ENGINES = """
from neuraltree.engine.forest import load_params, pack
from neuraltree.engine.kernel.binding import Kernel, load as load_kernel
from neuraltree.engine.kernel.kernel_lowering import KernelLowering
from neuraltree.engine.lowering import engine_name, what_is_missing
from neuraltree.engine.training import Settings, make_course, make_data
from neuraltree.engine.xla.xla_lowering import XlaLowering

kernel = load_kernel()
print(engine_name(), what_is_missing())
settings = Settings("squared", batch_size=10)
packed = pack(nodes, np.array([0, len(nodes)]), 2)
data = make_data(X, np.cos(X[:, :1]), None, "float32")
rows = np.arange(len(X), dtype=np.int32)
course = make_course(settings, rows[:40], rows[40:], epochs=20, patience=0, seed=0)
start = load_params(packed, nodes, "float32")[0]
engines = [XlaLowering(), *([KernelLowering(kernel)] if isinstance(kernel, Kernel) else [])]
for engine in engines:
    found = engine.predict(packed.forest, settings, data, rows, start)
    np.testing.assert_allclose(found[0, 0], wanted, atol=1e-5)
trained = [engine.train(packed.forest, settings, data, course, start, np.array([20])).last for engine in engines]
assert np.abs(trained[0] - start).max() > 0.05
np.testing.assert_allclose(trained[-1], trained[0], atol=1e-4)
"""


def run(folder: Path, program: str, spare: int = 0) -> str:
    """What the program prints with a copy of the package whose table ends in ``spare`` copies of tanh and the softsign.

    A kernel that was compiled for this package is copied too, but does not know the softsign.
    """
    for package in ("neuraltree", "tools"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    here = folder / "neuraltree" / "activations"
    (here / "softsign.py").write_text(SOFTSIGN)
    text = (here / "table.py").read_text("utf-8")
    imports = "from dataclasses import replace\nfrom neuraltree.activations.softsign import SOFTSIGN\n"
    text = text.replace("from neuraltree", f"{imports}from neuraltree", 1)
    spares = f'*(replace(TANH, name=f"spare_{{i}}") for i in range({spare}))'
    text, count = re.subn(r"(\nACTIVATIONS: [^=]*= \([^)]*)\)", rf"\1, {spares}, SOFTSIGN)", text)
    assert count == 1
    (here / "table.py").write_text(text)
    (folder / "program.py").write_text(TREE + program)
    return printed([sys.executable, "program.py"], folder)


def printed(command: list[str], folder: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in ("NEURALTREE_ENGINE", "PYTHONPATH")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_an_activation_is_one_file_and_one_entry(tmp_path: Path) -> None:
    run(tmp_path, OTHERS)


@pytest.mark.rare
def test_both_engines_train_a_new_activation(tmp_path: Path) -> None:
    """A kernel that was compiled before is not used. Compiled anew, it knows the activation."""
    assert re.match("XLA the compiled kernel (is missing|was built from other sources)", run(tmp_path, ENGINES))
    if not system_compilers():
        pytest.skip("no C compiler: the kernel was not compiled")
    printed([sys.executable, "-m", "tools.kernel_build"], tmp_path)
    assert printed([sys.executable, "program.py"], tmp_path).startswith("kernel ")


@needs_compiler
@pytest.mark.parametrize("code", [0, 8, 16])
def test_code_beyond_three_bits_is_not_miscoded(code: int, tmp_path: Path) -> None:
    """Tables of C hold the activation of a node in as many bits as the table of activations needs."""
    from neuraltree.activations import NAMES

    run(tmp_path, C + (f"assert NEW == {code}\n" if code else ""), spare=max(0, code - len(NAMES)))
