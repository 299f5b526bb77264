"""What imports what: the package stays light, and its modules depend on each other one way only."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import neuraltree

ROOT = Path(__file__).parents[2]

HEAVY = ("jax", "sklearn", "matplotlib", "scipy", "deap", "onnx", "sympy")


@pytest.mark.parametrize(
    "statement",
    [
        "import neuraltree",
        "import neuraltree.tree.nodes",
        "import neuraltree; neuraltree.Space",
        "import neuraltree; neuraltree.load",
        "import neuraltree.compress",
        "import neuraltree.export",
        "import neuraltree.export.__main__",
        "import neuraltree.plot.drawing",
        "import neuraltree.plot.tree_html",
        "import neuraltree.tasks.metrics",
        "import search",
        "import tools.gallery.__main__",
    ],
)
def test_a_light_import_loads_nothing_heavy(statement: str) -> None:
    code = f"{statement}; import sys; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_estimators_do_load_sklearn() -> None:
    """So that the test above can fail."""
    code = "import sys, neuraltree; neuraltree.NeuralTreeRegressor; print('sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


PUBLIC = {
    "ACTIVATIONS": "neuraltree.activations",
    "NeuralTreeClassifier": "neuraltree.estimators.classifier",
    "NeuralTreeRegressor": "neuraltree.estimators.regressor",
    "ParetoEnsembleClassifier": "neuraltree.estimators.ensembles",
    "ParetoEnsembleRegressor": "neuraltree.estimators.ensembles",
    "Space": "neuraltree.tree.space",
    "Tree": "neuraltree.tree.tree",
    "load": "neuraltree.tree.model_files",
    "save": "neuraltree.tree.model_files",
}


def test_the_public_names() -> None:
    assert sorted(neuraltree.__all__) == sorted([*PUBLIC, "__version__"])
    assert set(neuraltree.__all__) <= set(dir(neuraltree))
    for name, module in PUBLIC.items():
        assert getattr(neuraltree, name) is getattr(sys.modules[module], name)
    assert neuraltree.__version__.count(".") == 2
    with pytest.raises(AttributeError, match="no attribute 'tre'"):
        neuraltree.tre  # noqa: B018


# No module of the first column may import, even inside a function, a module of the second.
ENGINE = (
    "neuraltree.engine.forest",
    "neuraltree.engine.training",
    "neuraltree.engine.kernel",
    "neuraltree.engine.xla",
    "neuraltree.engine.lowering",
    "neuraltree.engine.epochs",
)
OUTSIDE = ("search", "experiments", "benchmarks", "tests")
MAY_NOT_IMPORT = [
    ("neuraltree", OUTSIDE),
    ("search", ("experiments", "benchmarks", "tests")),
    (
        "search.baselines",
        ("search.runs.loop", "search.run", "search.pictures", "search.report", "search.engine.evolution_step"),
    ),
    (
        "search.baselines.baseline_table",
        (*ENGINE, "search.judge.baseline_training", "search.engine.evaluate", "search.engine.problem"),
    ),
    (
        "tools.docs",
        ("search.runs.loop", "search.run", "search.engine.evolution_step", "search.report", "search.pictures"),
    ),
    # A page is made of a run folder alone, by whoever asks for it.
    (
        "search.report",
        ("search.run", "search.runs.loop", "search.engine.evolution_step", "search.engine.problem", "search.pictures"),
    ),
    ("search.report", (*ENGINE, "neuraltree.estimators.base", "neuraltree.export")),
    # So is a card.
    (
        "search.card",
        (*ENGINE, "search.engine", "search.judge", "search.runs", "search.pictures", "neuraltree.estimators.base"),
    ),
    *(
        (name, ("search.report",))
        for name in ("search.run", "search.runs.loop", "search.front", "search.folder.records")
    ),
    ("search.folder.columns", ("neuraltree", "search")),
    ("search.objectives", ("search",)),
    ("neuraltree.activations", ("neuraltree",)),
    ("neuraltree.cli.command", ("neuraltree.tree.nodes", "neuraltree.tree.tree", "neuraltree.hardware", "rich")),
    ("neuraltree.cli.console", ("neuraltree.tree.nodes", "neuraltree.tree.tree", "neuraltree.hardware")),
    (
        "neuraltree.tree.nodes",
        ("neuraltree.tree.generate", "neuraltree.tree.scaler", "neuraltree.tree.tree", "neuraltree.hardware"),
    ),
    ("neuraltree.tree.nodes", (*ENGINE, "neuraltree.tree.model_files", "neuraltree.estimators.base")),
    ("neuraltree.tree.scaler", ("neuraltree",)),
    ("neuraltree.schema", ("neuraltree",)),
    ("neuraltree.tasks.links", ("neuraltree",)),
    (
        "neuraltree.tree.prediction",
        (*ENGINE, "neuraltree.tree.tree", "neuraltree.tree.model_files", "neuraltree.estimators.base"),
    ),
    ("neuraltree.tree.soundness", (*ENGINE, "neuraltree.tree.model_files", "neuraltree.estimators.base")),
    (
        "neuraltree.tree.generate",
        (*ENGINE, "neuraltree.tree.tree", "neuraltree.tree.model_files", "neuraltree.estimators.base"),
    ),
    ("neuraltree.tree.tree", (*ENGINE, "neuraltree.tree.model_files", "neuraltree.estimators.base")),
    ("neuraltree.tree.tree", ("neuraltree.compress", "neuraltree.export", "neuraltree.hardware")),
    ("neuraltree.tree.model_files", ("neuraltree.compress", "neuraltree.export", "neuraltree.hardware")),
    ("neuraltree.compress", ("neuraltree.estimators.base", "neuraltree.export", "neuraltree.hardware")),
    # Pruning and training of formats need the engine, and early exits of many trees its kernel; the config reads the
    # table of formats.
    *((f"neuraltree.compress.{part}", ENGINE) for part in ("formats", "int8", "entropy", "reduction")),
    ("neuraltree.export", (*ENGINE, "neuraltree.estimators.base", "neuraltree.hardware")),
    ("neuraltree.hardware", (*ENGINE, "neuraltree.estimators.base")),
    ("neuraltree.tree.model_files", (*ENGINE, "neuraltree.estimators.base")),
    ("neuraltree.engine.forest", ("neuraltree.engine.training", "neuraltree.estimators.base")),
    ("neuraltree.engine.kernel", ("neuraltree.engine.xla", "neuraltree.engine.lowering", "jax", "optax")),
    ("neuraltree.engine.training", ("neuraltree.engine.kernel", "neuraltree.engine.xla", "neuraltree.engine.lowering")),
    ("neuraltree.engine.xla", ("neuraltree.engine.kernel", "neuraltree.engine.lowering")),
    ("neuraltree.tasks.losses", (*ENGINE, "neuraltree.tasks.task")),
    ("neuraltree.tasks.task", ENGINE),
    ("neuraltree.plot.drawing", (*ENGINE, "neuraltree.plot.tree_plot", "neuraltree.plot.style", "matplotlib")),
    ("neuraltree.plot.style", ("neuraltree",)),
    ("neuraltree.plot.tree_plot", (*ENGINE, "neuraltree.tree.model_files", "neuraltree.estimators.base")),
    (
        "search.pictures",
        (*ENGINE, "search.engine.evolution_step", "search.runs.loop", "tools.gallery", "search.report"),
    ),
]
# Tree.estimator() is the one way back up, taken only when it is called.
# Calibration trains some of its trees; nothing else of the cost model knows the engine.
# The report offers the exports that the table of formats allows.
# The labels of metrics are in the table of objectives, which imports nothing of the search.
EXCEPTIONS = {
    ("search.folder.columns", "search.objectives"),
    ("search.report.facts.member_models", "neuraltree.export.targets"),
    ("neuraltree.tree.tree", "neuraltree.estimators.base"),
    ("neuraltree.plot.style", "neuraltree.activations"),
} | {("neuraltree.hardware.calibrate.calibration_trees", module) for module in ENGINE}


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def imported(source: str, module: str) -> set[str]:
    """All that a module's source imports, wherever the statement stands; ``a.b`` for ``from a import b`` as well."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            base = module.split(".")[: -node.level] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            found |= {origin, *(f"{origin}.{alias.name}" for alias in node.names)}
    return found


def modules(package: str) -> dict[str, str]:
    """The source of every module within ``package``, by dotted name."""
    paths = (
        (".".join(p.relative_to(ROOT).with_suffix("").parts), p) for p in (ROOT / package.split(".")[0]).rglob("*.py")
    )
    return {name: path.read_text() for name, path in paths if within(name.removesuffix(".__init__"), package)}


@pytest.mark.parametrize(("importer", "forbidden"), MAY_NOT_IMPORT, ids=[f"{a} {b[0]}" for a, b in MAY_NOT_IMPORT])
def test_imports_go_one_way(importer: str, forbidden: tuple[str, ...]) -> None:
    sources = modules(importer)
    assert sources, f"{importer} has moved; so must its row"
    wrong = {
        (module, name)
        for module, source in sources.items()
        for name in imported(source, module)
        if any(within(name, banned) and not within(name, importer) for banned in forbidden)
        and not any(module == a and within(name, b) for a, b in EXCEPTIONS)
    }
    assert not wrong


@pytest.mark.parametrize(
    "statement",
    ["import b.c", "import b.c as d", "from b import c", "from b.c import d", "from .c import d", "from . import c"],
)
def test_every_form_of_import_is_seen(statement: str) -> None:
    for source in (statement, f"def late():\n    {statement}\n", f"if x:\n    {statement}\n"):
        assert any(within(name, "b.c") for name in imported(source, "b.a"))
    assert not imported("b.c = 'import b.c'", "b.a")
