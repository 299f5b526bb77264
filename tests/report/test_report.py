"""The report page as a file: what is in it, what hostile names do to it, what a run may lack, and its errors."""

from __future__ import annotations

import ast
import base64
import hashlib
import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from neuraltree import NeuralTreeClassifier
from neuraltree.activations import ACTIVATIONS
from neuraltree.compress.formats import C_PRECISIONS, HALVES
from neuraltree.export.__main__ import main as export
from neuraltree.hardware import COSTS, costs, load_device
from neuraltree.plot.style import ACTIVATION_LOOKS
from neuraltree.tree.model_files import load
from search.config.config import load_config
from search.folder.columns import COLUMNS, MEASURED, column_of, described
from search.front import Member, load_front
from search.judge.finish import HEADER
from search.report.__main__ import main
from search.report.facts.member_models import lines
from search.report.facts.rivals import dominates, rivals
from search.report.facts.tested import MOST_NUMBERS, coverage, reliability
from search.report.pages.embed import as_json, fill
from search.report.pages.page import render_index
from search.table import load_table, split
from tests.helpers.report_runs import (
    HOSTILE,
    HOSTILE_CLASSES,
    IMG,
    error_of,
    tree_of,
    write_baselines,
    write_checkpoint,
    write_run,
)
from tests.helpers.strategies import steady

pytest.importorskip("plotly", reason="the page needs plotly: pip install 'neuraltree[report]'")

DATA = re.compile(r'<script type="application/json" id="page-data">(.*?)</script>', re.DOTALL)


def page(run: Path, *more: str) -> dict[str, Any]:
    """The data of the page that the command writes for a run."""
    assert main([str(run), *more]) == 0
    return data_of((run / "report.html").read_text())


def data_of(text: str) -> dict[str, Any]:
    (found,) = DATA.findall(text)
    return json.loads(found)


class Elements(HTMLParser):
    """The elements of a page, as a browser's parser sees them, and the text of its title."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


# What is in it.


def test_the_page_holds_the_front_as_it_is_in_the_table(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", members=5)
    found = page(run)
    front = load_front(run)
    assert found["members"]["id"] == [100, 101, 102, 103, 104]
    assert found["members"]["name"] == ["000", "001", "002", "003", "004"]
    assert found["members"]["values"]["val_error"] == [error_of(i, 5) for i in range(5)]
    assert found["members"]["values"]["weights"] == [member.weights for member in front]
    assert found["recommended"] == front.members.index(front.recommended())
    assert found["error"] == "val_error"  # a run of an older version
    assert found["objectives"] == ["val_error", "weights"]
    assert found["axes"] == {"x": "weights", "y": "val_error"}
    assert found["history"]["hypervolume"] == [50, 51, 52]
    assert found["config"] == (run / "config.toml").read_text()
    assert found["notes"] == []
    assert found["columns"]["val_error"]["label"] == "validation error (error rate)"
    assert found["columns"]["test_score"]["label"] == "test accuracy"


def test_trees_are_drawn_from_their_nodes(tmp_path: Path) -> None:
    found = page(write_run(tmp_path / "r", members=4))
    nodes = tree_of(4, ("x0", "x1"), ("no", "yes")).nodes
    first = found["trees"][0]
    assert first["depth"] == nodes["depth"].tolist() == [0, 1, 1, 2, 2, 2]
    assert first["op"] == nodes["op"].tolist()
    assert first["weight"] == nodes["weight"][:, 0].tolist()
    assert first["bias"] == nodes["bias"][:, 0].tolist()
    assert first["y"] == [2, 0, 1, 0, 0, 0]
    assert [len(tree["x"]) for tree in found["trees"]] == [6, 5, 4, 2]
    assert found["task"]["features"] == ["x0", "x1"]
    assert found["task"]["classes"] == ["no", "yes"]
    assert found["task"]["activations"][1] == "tanh"


def test_the_confusion_matrix_is_that_of_the_test_rows(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", members=3, config="[run]\nseed = 3\n")
    found = page(run)
    config = load_config(run / "config.toml")
    table = load_table(config)
    _, rows = split(table, 0.25, 3)
    # The class is "yes" where x1 > 0; the trees say so where x1 + 6 > 0.
    matrix = [[0, 0], [0, 0]]
    for i in rows.tolist():
        matrix[int(table.X[i, 1] > 0)][int(table.X[i, 1] + 6 > 0)] += 1
    assert matrix[0][1] > matrix[1][0] == 0
    assert found["test"]["matrices"] == [matrix] * 3
    assert np.sum(matrix) == len(rows) == 10


@pytest.mark.parametrize("classes", [2, 3])
def test_the_reliability_is_scikit_learns(classes: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    y = (classes * rng.uniform(size=300) + X[:, 0]).clip(0, classes - 1).astype(int)
    tree = NeuralTreeClassifier(random_state=0, epochs=5).fit(X, y).tree_
    found = reliability(tree, X, y)
    shares = tree.predict_proba(X)
    by_class = [brier_score_loss(y == c, shares[:, c]) for c in range(classes)]
    assert found["brier"] == pytest.approx(by_class[1] if classes == 2 else sum(by_class), rel=1e-4)
    true, said = (y, shares[:, 1]) if classes == 2 else (shares.argmax(axis=1) == y, shares.max(axis=1))
    share, mean = calibration_curve(true, said, n_bins=10)
    np.testing.assert_allclose([point[:2] for point in found["points"]], np.column_stack([mean, share]), rtol=1e-4)
    assert len(found["points"]) > 3
    assert sum(point[2] for point in found["points"]) == 300


def test_every_member_has_its_reliability(tmp_path: Path) -> None:
    found = page(write_run(tmp_path / "r", members=3))["test"]["reliability"]
    assert [sum(rows for _, _, rows in member["points"]) for member in found] == [10] * 3


def test_the_page_says_how_many_test_rows_intervals_and_sets_hold(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 2)), rng.integers(2, size=40)
    sets = replace(tree_of(4, ("x0", "x1"), ("no", "yes")), band=0.3)
    p = sets.predict_proba(X)
    held = (p[range(40), y] >= 0.3) | (p[range(40), y] > 0.5)
    size = ((p >= 0.3) | (p > 0.5)).sum() / 40
    wanted = f"{100 * held.sum() / 40:.1f} % of the test rows are in the model's 90 % sets"
    assert coverage(sets, X, y) == f"{wanted}, which have {size:.2f} classes on average."
    ends = replace(tree_of(4, ("x0", "x1"), None), band=1.25)
    far = ends.predict(X) + np.array([1.3, 1.2, -1.2, -1.3] * 10)
    wanted = "50.0 % of the test rows are in the model's 90 % intervals, prediction ± 1.25."
    assert coverage(ends, X, far) == wanted
    assert page(write_run(tmp_path / "r", members=2))["test"]["coverage"] == [None, None]  # models of older versions
    found = page(write_run(tmp_path / "n", members=2, labels=None, table="n.csv"))["test"]
    assert found["coverage"] == [None, None]


def test_of_many_classes_the_largest_confusions_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.report.facts.tested.MOST_CLASSES", 1)
    run = write_run(tmp_path / "r", members=2, config="[run]\nseed = 3\n")
    config = load_config(run / "config.toml")
    table = load_table(config)
    rows = split(table, 0.25, 3)[1]
    astray = int(np.count_nonzero((table.X[rows, 1] < 0) & (table.X[rows, 1] > -6)))
    found = page(run)["test"]
    assert "matrices" not in found
    assert found["confused"] == [[[0, 1, astray]]] * 2


def test_predictions_of_a_regression_are_those_of_the_trees(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", members=2, labels=None)
    found = page(run)
    config = load_config(run / "config.toml")
    table = load_table(config)
    _, rows = split(table, 0.25, 0)
    assert found["test"]["target"] == (3 * table.X[rows, 1] + 1).tolist()
    assert found["test"]["predicted"] == [(table.X[rows, 1] + 6).tolist()] * 2
    assert found["test"]["of"] == 10
    assert found["columns"]["test_score"]["label"] == "test R²"


def test_the_data_are_summed_up_over_the_training_rows(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", members=1)
    found = page(run)["test"]["summary"]
    config = load_config(run / "config.toml")
    table = load_table(config)
    rows, _ = split(table, 0.25, 0)
    assert (found["rows"], found["train"], found["test"], found["features"]) == (40, 30, 10, 2)
    assert found["classes"] == [["no", 15, 5], ["yes", 15, 5]]
    assert found["figures"]["mean"] == pytest.approx(table.X[rows].mean(axis=0), rel=1e-4)
    assert found["figures"]["sd"] == pytest.approx(table.X[rows].std(axis=0), rel=1e-4)
    assert found["figures"]["min"] == table.X[rows].min(axis=0).tolist()
    assert found["figures"]["max"] == table.X[rows].max(axis=0).tolist()


def test_the_parts_of_a_cost_sum_to_the_cost(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", members=3, device="cortex-m4f")
    terms = page(run)["terms"]
    assert terms["position"] == [0, 1, 2]
    for i, member in enumerate(load_front(run)):
        tree = member.tree()
        whole = costs(
            tree.nodes, np.array([0, len(tree.nodes)]), load_device("cortex-m4f"), "float32", "straight", kind=tree.kind
        )
        for cost in COSTS:
            parts = sum(values[i] for values in terms["costs"][cost].values())
            assert parts == pytest.approx(whole[cost][0], rel=1e-3, abs=0.6 if cost.endswith("bytes") else 0)


def test_a_page_of_a_thousand_members_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = write_run(Path("r"), members=1000, labels=None, device="cortex-m4f")
    found = page(run)
    assert len(found["trees"]) == 1000
    assert (run / "report.html").stat().st_size < 10e6


def test_residuals_are_of_fewer_rows_where_members_are_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.report.facts.tested.LEAST_ROWS", 2)
    monkeypatch.setattr("search.report.facts.tested.MOST_NUMBERS", 12)
    assert MOST_NUMBERS >= 100_000
    found = page(write_run(tmp_path / "r", members=4, labels=None))["test"]
    assert [len(values) for values in found["predicted"]] == [3] * 4
    assert len(found["target"]) == 3
    assert found["of"] == 10
    for target, predicted in zip(found["target"], found["predicted"][0], strict=True):
        assert target == pytest.approx(3 * (predicted - 6) + 1)


def test_the_lines_to_use_a_model_are_quoted_for_python_and_the_shell(tmp_path: Path) -> None:
    path = Path('it\'s $(a) "run"\\') / "models" / "0 1.json"
    config = load_config(write_run(tmp_path / "r", device="cortex-m4f") / "config.toml")
    found = lines(Member("ok", {}, path), config)
    assert [shlex.split(found[what])[3] for what in found if found[what].startswith("python -m")] == [str(path)] * 4
    tree = ast.parse(found["Load and predict"])
    assert str(path) in [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]


def test_the_lines_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in the current directory, as it is typed."""
    monkeypatch.chdir(tmp_path)
    run = write_run(Path("my run"), members=1, device="cortex-m4f")
    found = lines(Member("ok", {}, run / "models" / "000.json"), load_config(run / "config.toml"))
    scope = {"X": [[1.0, 2.0]]}
    exec(found["Load and predict"].replace("tree.predict(X)", "said = tree.predict(X)"), scope)
    assert list(scope["said"]) == ["yes"]
    commands = [shlex.split(text)[1:] for text in found.values() if text.startswith("python ")]
    for command in commands:
        if "onnx" not in command or importlib.util.find_spec("onnx"):
            subprocess.run([sys.executable, *command], check=True, capture_output=True)
    assert (tmp_path / "000_c").is_dir()
    assert (tmp_path / "000.py").is_file()


@pytest.mark.parametrize(
    ("config", "c", "onnx"),
    [
        ("", "--to c --out m_c", "--to onnx --out m.onnx"),
        (
            '[hardware]\nprecision = "int8"\nstyle = "table"\n',
            "--to c --precision int8 --style table --out m_c",
            "--to onnx --precision int8 --out m.onnx",
        ),
    ],
)
def test_a_model_is_exported_as_the_run_costed_it(tmp_path: Path, config: str, c: str, onnx: str) -> None:
    found = lines(
        Member("ok", {}, Path("m.json")), load_config(write_run(tmp_path / "r", config=config) / "config.toml")
    )
    assert found["Export as C"].endswith(c)
    assert found["Export as ONNX"].endswith(onnx)


@pytest.mark.parametrize("precision", C_PRECISIONS)
def test_only_exports_that_work_are_offered(precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = write_run(Path("run"), members=1)
    config, style = load_config(run / "config.toml"), "table" if precision in HALVES else "straight"
    member = Member("ok", {}, run / "models" / "000.json", precision=precision, style=style)
    commands = [shlex.split(text)[3:] for text in lines(member, config).values() if text.startswith("python ")]
    formats = [command[command.index("--to") + 1] for command in commands]
    assert formats == (["c", "onnx", "python"] if precision in ("float32", "int8") else ["c", "python"])
    for command, form in zip(commands, formats, strict=True):
        if form != "onnx" or importlib.util.find_spec("onnx"):
            assert export(command) == 0


@pytest.mark.parametrize("name", [name for name in HEADER if name not in ("id", "status", "model")])
def test_every_column_of_a_front_has_a_label(name: str) -> None:
    assert column_of(name).label != name or name in ("weights", "nodes", "depth")
    assert name.removeprefix(MEASURED) in COLUMNS


def test_labels_say_what_is_measured() -> None:
    found = described(["val_error", "test_score", "measured_ram_bytes", "error_class_a", "other"], "rmse", "regression")
    assert [row.label for row in found.values()] == [
        *("validation error (RMSE)", "test R²", "measured RAM", "validation error of class a", "other"),
    ]
    assert found["measured_ram_bytes"].unit == "B"


# Baselines.


@pytest.mark.parametrize(
    ("error", "weights", "beats"),
    [
        (0.1, 1, [0, 1, 2]),
        (0.25, 6, []),  # equal to the middle one
        (0.25, 5, [1]),
        (0.26, 6, []),
        (0.9, 99, []),
        (0.2, 7, []),
    ],
)
def test_whom_a_baseline_beats(tmp_path: Path, error: float, weights: float, beats: list[int]) -> None:
    (tmp_path / "front.csv").write_text(
        "id,status,val_error,weights,model\n0,ok,0.125,9,a.json\n1,ok,0.25,6,b.json\n2,ok,0.5,4,c.json\n"
    )
    (tmp_path / "manifest.json").write_text('{"objectives": ["error", "weights"]}')
    write_baselines(tmp_path, [("m", error, weights)])
    from search.baselines import load_baselines

    (found,) = rivals(load_front(tmp_path), load_baselines(tmp_path))
    assert found["beats"] == beats
    assert "beaten" not in found  # by errors that were chosen among many
    fitting = [i for i, size in enumerate((9, 6, 4)) if size <= weights]
    assert found["peer"] == (fitting[0] if fitting else None)


@steady
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=2))
def test_nothing_beats_what_beats_it(pair: list[tuple[int, int]]) -> None:
    a, b = ({"p": float(p), "q": float(q)} for p, q in pair)
    wins = dominates(a, b, ("p", "q"))
    assert not (wins and dominates(b, a, ("p", "q")))
    assert wins == (a != b and a["p"] <= b["p"] and a["q"] <= b["q"])


def test_a_baseline_without_the_costs_of_the_run_is_compared_in_weights(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", members=3, device="cortex-m4f")
    manifest = json.loads((run / "manifest.json").read_text()) | {"objectives": ["error", "latency_s"]}
    (run / "manifest.json").write_text(json.dumps(manifest))
    write_baselines(run, [("CART", 0.01, 1)])
    (found,) = page(run)["baselines"]
    assert found["compared"] == ["val_error", "weights"]
    assert found["beats"] == [0, 1, 2]


# Hostile names.


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    run = write_run(
        tmp_path / "a<b>&'{{data}}", features=HOSTILE, labels=HOSTILE_CLASSES, table="<i>.csv", device="cortex-m4f"
    )
    write_baselines(run, [(IMG, 0.2, 5)])
    return run


def check_harmless(text: str) -> None:
    elements = Elements(text).found
    assert not [tag for tag, _ in elements if tag in ("img", "b", "i", "svg", "object", "iframe", "base")]
    assert not [name for _, attributes in elements for name in attributes if name.startswith("on")]
    links = [attributes.get("src") or attributes.get("href") for _, attributes in elements]
    assert all(link is None or link.startswith(("#", "data:,", "/run/")) for link in links)


def test_hostile_names_come_out_as_they_are_and_do_nothing(hostile: Path) -> None:
    found = page(hostile)
    assert found["task"]["features"] == list(HOSTILE)
    assert found["task"]["classes"] == list(HOSTILE_CLASSES)
    assert found["baselines"][0]["label"] == IMG
    assert found["name"] == "a<b>&'{{data}}"
    check_harmless((hostile / "report.html").read_text())


def test_the_test_for_harmless_pages_can_fail(hostile: Path) -> None:
    with pytest.raises(AssertionError):
        check_harmless(f"<p>{IMG}</p>")
    with pytest.raises(AssertionError):
        check_harmless("<p onclick=alert(1)>x</p>")
    with pytest.raises(AssertionError):
        check_harmless("<script src=https://example.org/x.js></script>")


def test_a_page_may_fetch_nothing(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r")
    page(run)
    metas = [attributes for tag, attributes in Elements((run / "report.html").read_text()).found if tag == "meta"]
    (policy,) = [str(meta["content"]) for meta in metas if meta.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'none'" in policy
    assert "http" not in policy


def test_only_the_scripts_of_the_page_run(hostile: Path) -> None:
    page(hostile)
    for text in ((hostile / "report.html").read_text(), render_index("runs", "")):
        scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
        digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
        known = " ".join(f"'sha256-{digest}'" for digest in digests)
        assert digests
        assert f"script-src {known};" in text


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@steady
@given(VALUES)
def test_json_in_a_page_reads_back_and_holds_no_markup(value: Any) -> None:
    text = as_json(value)
    assert json.loads(text) == value
    assert not set(text) & set("<>&\u2028\u2029")


def test_numbers_that_are_not_finite_become_null() -> None:
    assert as_json({"a": [float("nan"), float("inf"), 1.5]}) == '{"a":[null,null,1.5]}'


def test_what_is_put_into_a_slot_is_not_looked_at_again() -> None:
    assert fill("{{a}}-{{b}}", {"a": "{{b}}", "b": "{{a}}\\1"}) == "{{b}}-{{a}}\\1"


# What a run may lack.


def test_an_unfinished_run_shows_the_front_so_far(tmp_path: Path) -> None:
    found = page(write_run(tmp_path / "r", final=False, device="cortex-m4f"))
    assert found["status"] == "running"
    assert not found["final"]
    assert found["members"]["id"] == [100, 101, 102, 103]
    assert found["trees"] == [None] * 4
    assert found["lines"] == []
    assert found["test"]["summary"]["rows"] == 40
    assert "matrices" not in found["test"]
    assert "complete" in found["terms"]["missing"]
    assert any("not complete" in note for note in found["notes"])


def test_a_run_says_when_it_was_saved(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", final=False)
    os.utime(run / "history.csv", (5, 1_700_000_000))
    assert page(run)["saved"] == 1_700_000_000
    (run / "history.csv").unlink()
    assert page(run)["saved"] is None


def test_trees_of_an_unfinished_run_are_those_of_its_checkpoint(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", members=3, final=False)
    write_checkpoint(run, ids=[7, 102, 100], leaves=[9, 1, 3])
    found = page(run)
    nodes = tree_of(3, ("x0", "x1"), ("no", "yes")).nodes
    assert [tree and len(tree["op"]) for tree in found["trees"]] == [len(nodes), None, 2]
    assert found["trees"][0]["weight"] == nodes["weight"][:, 0].tolist()
    assert found["task"] == {
        "kind": "binary",
        "features": ["x0", "x1"],
        "classes": ["no", "yes"],
        "activations": [row.name for row in ACTIVATIONS],
        "colours": {name: look.colour for name, look in ACTIVATION_LOOKS.items()},
        "letters": {row.name: row.letter for row in ACTIVATIONS},
    }
    next((run / "checkpoint").glob("*.npz")).write_bytes(b"x")
    assert page(run)["trees"] == [None] * 3


def remove(name: str) -> Any:
    return lambda run: (run / name).unlink()


def overwrite(name: str, text: str) -> Any:
    return lambda run: (run / name).write_text(text)


LACKING = {
    "no history": (remove("history.csv"), "notes", "no history.csv"),
    "no manifest": (remove("manifest.json"), None, None),
    "no config": (remove("config.toml"), "notes", "no such config file"),
    "config of another release": (overwrite("config.toml", "[date]\n"), "notes", "unknown section or key date"),
    "no data": (lambda run: (run.parent / "t.csv").unlink(), "test", "no such file"),
    "other data": (lambda run: (run.parent / "t.csv").write_text("x0,x1,y\n" + "1,2,a\n3,4,b\n" * 9), "test", "made"),
    "a damaged model": (overwrite("models/001.json", "{"), "notes", "001.json"),
    "a model that is gone": (remove("models/001.json"), "notes", "001.json"),
    "a damaged front": (overwrite("front.csv", "id,status,val_error,model\n1,ok,zero,a\n"), "notes", "zero"),
    "a member without an id": (
        overwrite("front.csv", "id,status,val_error,model\nnan,ok,1,a\n"),
        "notes",
        "member 0 has no id",
    ),
    "a member without an objective": (
        overwrite("front.csv", "id,status,val_error,weights,model\n1,ok,0.5,9,models/000.json\n2,ok,0.6,,b.json\n"),
        "notes",
        "b.json",
    ),
    "a front with an endless cell": (
        overwrite("front.csv", "id,model\n1," + "a" * 200_000),
        "notes",
        "front.csv is damaged",
    ),
    "an endless history": (overwrite("history.csv", "generation\n" + "1" * 200_000 + "\n"), "notes", "field limit"),
    "objectives that are none": (overwrite("manifest.json", '{"objectives": [{}]}'), "notes", "objectives is"),
    "a front cut short": (overwrite("front.csv", "id,status\n1,ok\n"), "notes", "model"),
    "a damaged manifest": (overwrite("manifest.json", "["), "notes", "manifest.json is damaged"),
    "damaged baselines": (overwrite("baselines.csv", "name\nx\n"), "notes", "baselines.csv is damaged"),
    "an unknown device": (overwrite("config.toml", ""), "notes", "data"),
    "nothing but a config": (lambda run: [remove(n)(run) for n in ("front.csv", "manifest.json")], "notes", "live.csv"),
    "an empty front": (overwrite("front.csv", "id,status,val_error,model\n"), None, None),
}


@pytest.mark.parametrize("lack", LACKING)
def test_what_is_missing_is_said_in_the_page(tmp_path: Path, lack: str) -> None:
    spoil, where, said = LACKING[lack]
    run = write_run(tmp_path / "r", device="cortex-m4f")
    spoil(run)
    found = page(run)
    if where == "notes":
        assert any(said in note for note in found["notes"]), found["notes"]
    if where == "test":
        assert said in found["test"]["missing"]
    assert found["history"] == {} or found["history"]["generation"] == [0, 1, 2]


def test_a_missing_model_leaves_the_others(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", device="cortex-m4f")
    (run / "models" / "001.json").unlink()
    found = page(run)
    assert [tree is None for tree in found["trees"]] == [False, True, False, False]
    assert found["terms"]["position"] == [0, None, 1, 2]
    assert found["test"]["matrices"][1] is None
    assert found["test"]["matrices"][2]
    assert load(run / "models" / "000.json")


def test_an_empty_front_recommends_no_member(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r")
    (run / "front.csv").write_text("id,status,val_error,weights,model\n")
    found = page(run)
    assert found["recommended"] is None
    assert found["members"]["id"] == []


def test_a_front_without_test_columns_is_shown_without(tmp_path: Path) -> None:
    run = write_run(tmp_path / "r", members=1)
    (run / "front.csv").write_text(
        "id,status,val_error,test_error,test_score,weights,model\n7,ok,0.5,,,3,models/000.json\n"
    )
    found = page(run)
    assert found["shown"] == ["val_error", "weights"]
    assert found["trees"][0]["depth"] == [0, 1]


# The command.


def test_the_command_says_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "r")
    assert main([str(run), "--out", str(tmp_path / "my.html")]) == 0
    output = capsys.readouterr().out
    assert re.fullmatch(rf"{re.escape(str(tmp_path))}/my.html  \d\.\d MB\n", output)
    assert not (run / "report.html").exists()
    assert main([str(run), "--out", str(tmp_path / "my.html")]) == 0  # an earlier page is replaced


# RUN stands for the folder of a run.
BAD = {
    "nothing": ([], "name a run folder"),
    "no folder": (["RUN/x"], "no such folder"),
    "no run": (["RUN/models"], "not a run folder"),
    "a file": (["RUN/config.toml"], "no such folder"),
    "a name no file can have": (["a\0b"], "no such folder"),
    "out is a folder": (["RUN", "--out", "RUN"], "is a folder"),
    "out is something else": (["RUN", "--out", "RUN/notes.html"], "is no report page"),
    "out is nowhere": (["RUN", "--out", "RUN/x/y.html"], "cannot write"),
    "twice": (["RUN", "RUN/models/.."], "named twice"),
    "port without server": (["RUN", "--port", "1"], "--port belongs to --serve"),
    "server and run": (["RUN", "--serve", "RUN"], "takes one folder"),
    "served nowhere": (["--serve", "RUN/x"], "no such folder"),
    "a port too high": (["--serve", "RUN", "--port", "70000"], "0 to 65535"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    run = write_run(tmp_path / "r")
    (run / "notes.html").write_text("mine")
    arguments, said = BAD[case]
    assert main([text.replace("RUN", str(run)) for text in arguments]) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.count("\n") == 1
    assert said in errors
    assert (run / "notes.html").read_text() == "mine"


def test_without_plotly_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from search.report.pages import embed

    embed.plotly.cache_clear()
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    assert main([str(write_run(tmp_path / "r"))]) == 2
    assert "pip install 'neuraltree[report]'" in capsys.readouterr().err
    assert not (tmp_path / "r" / "report.html").exists()


def test_help_needs_nothing_heavy() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "search.report", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    modules = {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "search" in modules
    assert not modules & {"jax", "sklearn", "numpy", "scipy", "plotly", "matplotlib", "msgspec"}
    for said in ("RUN", "--out", "--serve", "--port", "127.0.0.1", "0 done", "2 bad input", "130 interrupted"):
        assert said in done.stdout
