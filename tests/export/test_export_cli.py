"""``python -m neuraltree.export``: what it writes, what it refuses, and in how many words."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from neuraltree.export import (
    export_arduino,
    export_c,
    export_dot,
    export_latex,
    export_micropython,
    export_onnx,
    export_platformio,
    export_python,
    export_rust,
    export_text,
    export_training,
    export_zephyr,
)
from neuraltree.export.__main__ import OPTIONS, main, write
from neuraltree.export.c.constants.block import export_constants
from neuraltree.export.c.constants.layout import layout_of
from neuraltree.export.targets import FORMATS
from neuraltree.tree.model_files import dumps, load, save
from neuraltree.tree.tree import Tree
from neuraltree.updating.selection import select
from neuraltree.updating.training_state import TrainingState
from tests.export.test_export_onnx import several
from tests.helpers.random_models import random_model, regression, scaler

ROOT = Path(__file__).parents[2]
TREE = random_model(1)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "003.json"
    save(TREE, path)
    return path


def files(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line said about bad input, with exit code 2; nothing else is said."""
    try:
        code = main(list(map(str, arguments)))
    except SystemExit as stop:
        code = int(str(stop.code))
    said = capsys.readouterr()
    assert code == 2
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("error: ")
    return said.err


@pytest.mark.parametrize("to", FORMATS)
def test_without_a_place_texts_are_printed_and_the_rest_is_named_after_the_model(
    model: Path,
    program: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    to: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([str(model), "--to", to, *(["--program", program] if to == "constants" else [])]) == 0
    printed, made = capsys.readouterr().out, {path.name for path in tmp_path.iterdir()} - {model.name}
    places = {to: "model_003" for to, row in FORMATS.items() if not row.suffixes} | {"onnx": "003.onnx"}
    places["constants"] = "003.bin"
    assert made == ({places[to]} if to in places else set())
    if to not in places:
        file = tmp_path / f"kept{FORMATS[to].suffixes[0]}"
        assert main([str(model), "--to", to, "--out", str(file)]) == 0
        kept = file.read_text()
        assert printed.replace("model_003", "kept") == kept


@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("style", ["straight", "table"])
@pytest.mark.parametrize("wide", [False, True])
def test_it_writes_the_export(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], precision: str, style: str, wide: bool
) -> None:
    out = tmp_path / "deep" / "model"
    options = ["--precision", precision, "--style", style, *["--wide"] * wide]
    if wide and precision == "float32":
        assert "16-bit values are an option of int8" in refused(capsys, model, "--to", "c", *options, "--out", out)
        assert not out.exists()
        return
    assert main([str(model), "--to", "c", *options, "--out", str(out)]) == 0
    assert files(out) == export_c(TREE, "model", precision=precision, style=style, fine=wide)
    said = capsys.readouterr().out
    assert all(str(out / name) in said for name in files(out))
    assert "cc -std=c99 -I. model.c test/model_test.c -o check && ./check" in said


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler: cc is not on PATH")
def test_the_line_it_prints_checks_the_export(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a folder"
    assert main([str(model), "--to", "c", "--precision", "int8", "--name", "sensor", "--out", str(out)]) == 0
    line = capsys.readouterr().out.splitlines()[-1].removeprefix("to check it: ")
    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "32 of 32 vectors are right\n"


def test_an_export_again_replaces_the_files_and_keeps_others(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    out.mkdir()
    for options in (["--precision", "float32"], ["--precision", "int8"]):
        assert main([str(model), "--to", "c", *options, "--out", str(out)]) == 0
        (out / "check").write_text("mine")
    assert files(out) == {**export_c(TREE, "model", precision="int8"), "check": "mine"}


def test_a_folder_with_other_files_is_refused(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "model"
    out.mkdir()
    for name, text in (("notes.txt", "mine"), ("model.h", "/* somebody else's */")):
        (out / name).write_text(text)
        before = files(out)
        assert "is not empty and holds no earlier export" in refused(capsys, model, "--to", "c", "--out", out)
        assert files(out) == before


def test_another_name_in_the_folder_of_an_export_is_refused(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "model"
    assert main([str(model), "--to", "c", "--out", str(out)]) == 0
    capsys.readouterr()
    message = refused(capsys, model, "--to", "c", "--out", out, "--name", "other")
    assert "other.h or other_train.h by neuraltree" in message


def test_a_write_that_fails_leaves_the_old_files(tmp_path: Path) -> None:
    write(tmp_path, {"a": "old", "b": "old"})
    (tmp_path / "c").mkdir()
    with pytest.raises((OSError, UnicodeError)):
        write(tmp_path, {"a": "new", "b": "\ud800"})
    assert files(tmp_path) == {"a": "old", "b": "old"}


def test_a_folder_that_is_a_file_or_cannot_be_made_is_refused(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is not a folder" in refused(capsys, model, "--to", "c", "--out", model)
    assert "003.json" in refused(capsys, model, "--to", "c", "--out", model / "below")


BROKEN = {
    "not_json": ("{", "not JSON"),
    "not_a_tree": ("{}", "neither a neuraltree file"),
    "list": ("[1]", "neither a neuraltree file"),
    "bytes": ("\x00\x00", "not JSON"),
    "nested": ("[" * 100_000, "nested too deeply"),
    "version": ('{"format": "neuraltree", "version": 9}', "format version 9"),
    "activation": (dumps(TREE).replace('"activation": "', '"activation": "no', 1), "allowed: sigmoid"),
    "infinite": (dumps(TREE).replace('"weight": 0.0', '"weight": 1e999', 1), "finite"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_file_that_is_no_tree_is_refused(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, message = BROKEN[what]
    path = tmp_path / "broken.json"
    path.write_text(text)
    said = refused(capsys, path, "--to", "c", "--out", tmp_path / "model")
    assert message in said
    assert "broken.json" in said
    assert not (tmp_path / "model").exists()


def many_children() -> Tree:
    return regression([(0, -6, 0.0, 0.0), *[(1, 0, 1.0, 0.0)] * 2001])


def huge_weights() -> Tree:
    nodes = TREE.nodes.copy()
    nodes["weight"][nodes["depth"] > 0] = 1e300
    return replace(TREE, nodes=nodes)


UNFIT = [
    (many_children(), ["--precision", "int8"], "2001 children; in int8 it can have 2000"),
    (huge_weights(), [], "beyond single floats"),
    (huge_weights(), ["--precision", "int8"], "beyond single floats"),
    (random_model(0, "binary"), ["--precision", "int8", "--wide"], "this is a binary tree"),
]


@pytest.mark.parametrize(("tree", "options", "message"), UNFIT)
def test_a_tree_that_c_cannot_say_is_refused(
    tree: Tree, options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tree, tmp_path / "unfit.json")
    assert message in refused(capsys, tmp_path / "unfit.json", "--to", "c", *options, "--out", tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "verilog", "--out", "x"], "argument --to: invalid choice: 'verilog'"),
        (["--to", "c", "--out", "x", "--precision", "int5"], "invalid choice: 'int5'"),
        (["--to", "c", "--out", "x", "--style", "loop"], "invalid choice: 'loop'"),
        (["--out", "x"], "--to"),
        (["--to", "c", "--out", "x", "--fast"], "unrecognized arguments: --fast"),
        (["--to", "c", "--out", "x", "--name", "a b"], "'a b' cannot be the name of C functions"),
        (["--to", "c", "--out", "x", "--name", ""], "'' cannot be the name"),
        (["--to", "c", "--out", "x", "--name", "int\n"], "cannot be the name"),
    ],
)
def test_bad_arguments_are_refused(
    arguments: list[str],
    message: str,
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in refused(capsys, model, *arguments)
    assert not (tmp_path / "x").exists()


def test_a_missing_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no.json: No such file" in refused(capsys, tmp_path / "no.json", "--to", "c", "--out", tmp_path / "x")
    assert "directory" in refused(capsys, tmp_path, "--to", "c", "--out", tmp_path / "x").lower()


def test_a_model_of_the_reference_is_exported(tmp_path: Path) -> None:
    leaves = [{"name": f"i:{i}; e:{w}"} for i, w in enumerate((0.5, -1.5))]
    (tmp_path / "iris_model.json").write_text(
        json.dumps({"name": "f:2; e:0.3; b:0.1; p:[0, 1, sigmoid]", "children": leaves})
    )
    assert main([str(tmp_path / "iris_model.json"), "--to", "c", "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "out.h").is_file()


def test_errors_show_no_traceback_and_the_start_is_light(model: Path, tmp_path: Path) -> None:
    """As a program, with the exit code a shell sees; numbers that overflow say nothing besides."""
    save(huge_weights(), tmp_path / "huge.json")
    for path in (tmp_path / "huge.json", tmp_path / "no.json"):
        command = [sys.executable, "-m", "neuraltree.export", str(path), "--to", "c", "--out", str(tmp_path / "x")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1
    code = (
        "import sys; from neuraltree.export.__main__ import main\n"
        f"main([{str(model)!r}, '--to', 'c', '--precision', 'int8', '--out', {str(tmp_path / 'light')!r}])\n"
        "print([name for name in ('jax', 'sklearn', 'scipy', 'matplotlib', 'unicorn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_numbers_that_overflow_on_the_way_say_nothing_besides(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = TREE.nodes.copy()
    nodes["weight"][nodes["depth"] > 0] = 1e308
    tree = replace(TREE, nodes=nodes, scaler=scaler([0.0] * len(TREE.features), [1e-9] * len(TREE.features)))
    save(tree, tmp_path / "huge.json")
    for precision in ("float32", "int8"):
        options = ["--precision", precision, "--out", tmp_path / "x"]
        assert "beyond single floats" in refused(capsys, tmp_path / "huge.json", "--to", "c", *options)


def test_training_is_exported_beside_prediction(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "model"
    assert main([str(model), "--to", "c", "--name", "mine", "--out", str(out)]) == 0
    assert main([str(model), "--to", "c-train", "--name", "mine", "--out", str(out)]) == 0
    assert "mine_train.c" in capsys.readouterr().out
    assert {"mine.c", "mine.h", "mine_train.c", "mine_train.h"} <= {path.name for path in out.iterdir()}
    message = refused(capsys, model, "--to", "c-train", "--out", tmp_path / "other", "--precision", "int8")
    assert "float32 only" in message


# Of the formats that are one file: a file name, options, and what must stand in it.
ONE_FILE = {
    "onnx": ("a.onnx", [], lambda tree: export_onnx(tree, name="a")),
    "onnx int8": ("a.onnx", ["--precision", "int8"], lambda tree: export_onnx(tree, "int8", name="a")),
    "python": ("my model.py", [], lambda tree: export_python(tree, "my_model")),
    "micropython": ("my model.py", [], lambda tree: export_micropython(tree, "my_model")),
    "micropython int8": (
        *("a.py", ["--precision", "int8"]),
        lambda tree: export_micropython(tree, "a", precision="int8"),
    ),
    "latex": ("a.tex", [], export_latex),
    "latex digits": ("a.tex", ["--digits", "2"], lambda tree: export_latex(tree, 2)),
    "text": ("a.txt", [], export_text),
    "text digits": ("a.txt", ["--digits", "17"], lambda tree: export_text(tree, 17)),
    "dot": ("a.dot", [], export_dot),
    "dot gv": ("a.gv", [], export_dot),
    "json": ("a.json", [], dumps),
    "constants": (
        "a.bin",
        ["--program", "PROGRAM"],
        lambda tree: export_constants(tree, layout_of(TREE, "float32")),
    ),
}


@pytest.fixture
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The header of a program with replaceable constants."""
    header = tmp_path_factory.mktemp("program") / "a.h"
    header.write_text(export_c(TREE, "a", style="table", constants=True)["a.h"])
    return str(header)


# Of the formats that are a folder: what its files are.
FOLDERS: dict[str, Callable[[Tree, str], dict[str, str]]] = {
    "c": export_c,
    "c-train": export_training,
    "arduino": export_arduino,
    "platformio": export_platformio,
    "zephyr": export_zephyr,
    "rust": export_rust,
}


def test_every_format_is_tested() -> None:
    assert {what.split()[0] for what in ONE_FILE} == {to for to, row in FORMATS.items() if row.suffixes}
    assert set(FOLDERS) == {to for to, row in FORMATS.items() if not row.suffixes}


@pytest.mark.parametrize("to", FOLDERS)
def test_a_folder_is_written_and_written_again(
    to: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An earlier export of the same name is replaced, other files stay; a folder with other files alone is refused."""
    out = tmp_path / "deep" / "sensor"
    for _ in range(2):
        assert main([str(model), "--to", to, "--out", str(out)]) == 0
        assert {**FOLDERS[to](TREE, "sensor"), "mine": "mine"} == {**files(out), "mine": "mine"}
        (out / "mine").write_text("mine")
    assert str(out) in capsys.readouterr().out.splitlines()[-1]
    for path in out.rglob("*"):
        if path.is_file() and path.name != "mine":
            path.unlink()
    assert "holds no earlier export" in refused(capsys, model, "--to", to, "--out", out)


@pytest.mark.parametrize("to", [to for to, row in FORMATS.items() if row.integers])
def test_what_integers_lose_is_said(to: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(replace(TREE, int8_loss=0.4), tmp_path / "lossy.json")
    options = ["--to", to, "--precision", "int8", "--out", tmp_path / f"out{(FORMATS[to].suffixes or ('',))[0]}"]
    assert main(list(map(str, [tmp_path / "lossy.json", *options]))) == 0
    assert "lossy.json: " in capsys.readouterr().err


@pytest.mark.parametrize("what", ONE_FILE)
def test_one_file_is_written_and_written_again(
    what: str, model: Path, program: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An earlier export is replaced, in a folder of its own or beside other files, which stay."""
    file, options, expected = ONE_FILE[what]
    options = [program if option == "PROGRAM" else option for option in options]
    to, out = what.split()[0], tmp_path / "deep" / file
    content = expected(TREE)
    for _ in range(2):
        assert main([str(model), "--to", to, *options, "--out", str(out)]) == 0
        assert out.read_bytes() == (content.encode() if isinstance(content, str) else content)
        said = capsys.readouterr().out
        assert f"{out}  {len(out.read_bytes()):,} bytes" in said
        (out.parent / "mine").write_text("mine")
    assert sorted(path.name for path in out.parent.iterdir()) == sorted([file, "mine"])


@pytest.mark.parametrize("what", ONE_FILE)
def test_a_file_that_is_no_export_is_kept(
    what: str, model: Path, program: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, options, _ = ONE_FILE[what]
    options = [program if option == "PROGRAM" else option for option in options]
    to, out = what.split()[0], tmp_path / file
    for content in (b"mine", b"", b"\xff\x00mine"):
        out.write_bytes(content)
        message = refused(capsys, model, "--to", to, *options, "--out", out)
        assert "exists and is no earlier export" in message
        assert out.read_bytes() == content
    out.unlink()
    out.mkdir()
    assert "is a folder; give --out the name of a file" in refused(capsys, model, "--to", to, *options, "--out", out)


def test_a_model_file_is_never_replaced(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.json"
    save(random_model(2), other)
    before = other.read_bytes()
    assert "exists and is no earlier export" in refused(capsys, model, "--to", "json", "--out", other)
    assert other.read_bytes() == before
    other.write_text('{"features": ["Written by neuraltree"]}')  # a name that is our mark is none
    assert "exists and is no earlier export" in refused(capsys, model, "--to", "json", "--out", other)
    assert main([str(model), "--to", "json", "--out", str(model)]) == 0
    assert model.read_text() == dumps(TREE)


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("ending", ["", ".c", ".h", ".onnx", ".py", ".tex", ".txt", ".dot", ".json", ".ONNX"])
def test_the_name_of_a_file_says_what_it_is(
    to: str, ending: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / f"model{ending}"
    if ending in (FORMATS[to].suffixes or ("", ".ONNX")):
        assert main([str(model), "--to", to, "--out", str(out)]) == 0
        return
    message = refused(capsys, model, "--to", to, "--out", out)
    assert ("writes one file" if FORMATS[to].suffixes else "is not a folder's name") in message
    assert not out.exists()


GIVEN = {"name": "a", "precision": "int8", "style": "table", "wide": None, "input": "int16", "digits": "3"}
GIVEN |= {"constants": None, "program": "PROGRAM", "early_exit": None}
GIVEN |= {"update": "300B", "select": "output", "rows": "a.csv"}
TAKEN = {
    **{to: {"name", "precision", "style", "wide", "input"} for to in ("c", "arduino", "platformio", "zephyr")},
    "c-train": {"name", "update", "select"},
    "rust": {"name", "precision"},
    "onnx": {"precision"},
    "python": set(),
    "micropython": {"precision"},
    "latex": {"digits"},
    "text": {"digits"},
    "dot": set(),
    "json": set(),
    "constants": {"program"},
}
TAKEN["c"] = TAKEN["c"] | {"constants", "early_exit"}


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("option", OPTIONS)
def test_options_that_make_no_sense_are_refused(
    to: str, option: str, model: Path, program: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / f"a{(FORMATS[to].suffixes or ('',))[0]}"
    value = program if option == "program" else GIVEN[option]
    arguments = [model, "--to", to, "--out", out, f"--{option.replace('_', '-')}", *([] if value is None else [value])]
    if option == "wide":
        arguments += ["--precision", "int8"] if "wide" in TAKEN[to] else []
    if option == "select":
        arguments += ["--update", "1k"] if "update" in TAKEN[to] else []
    if option == "constants":
        arguments += ["--style", "table"] if "constants" in TAKEN[to] else []
    if option == "early_exit":
        save(random_model(303, "binary"), model)
    if option in TAKEN[to]:
        assert main(list(map(str, arguments))) == 0
        return
    message = refused(capsys, *arguments)
    assert f"--to {to} takes " in message or (to == "c-train" and "reads no tables" in message)
    assert not out.exists()


def test_chosen_nodes_are_trained(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, state = tmp_path / "pot", TrainingState(TREE.nodes)
    given = [model, "--to", "c-train", "--out", out]
    for text, budget in (("100B", 100), ("0.125k", 128)):
        assert main([*map(str, given), "--update", text]) == 0
        live = select(TREE.nodes, budget, "output")
        assert 0 < state.bytes(live) < state.most_bytes
        assert files(out) == export_training(TREE, "pot", live)
        told = f"weights are trained, chosen by 'output', with {state.bytes(live)} B of state"
        assert told in capsys.readouterr().err
    assert main([*map(str, given), "--update", "1M"]) == 0
    assert f"all that there are, with {state.most_bytes} B" in capsys.readouterr().err
    assert "not an amount of bytes" in refused(capsys, *given, "--update", "")
    assert "not an amount of bytes" in refused(capsys, *given, "--update", "much")
    assert "in 1 B: the smallest takes" in refused(capsys, *given, "--update", "1")
    assert "add --update" in refused(capsys, *given, "--select", "output")
    assert "there is no selector 'best'" in refused(capsys, *given, "--update", "1k", "--select", "best")
    message = refused(capsys, *given, "--update", "1k", "--select", "gradient")
    assert "or take one that needs none: output, random, full" in message


def test_an_early_exit_chooses_its_code(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree, out = random_model(303, "binary"), tmp_path / "iris"
    save(tree, model)
    assert main([str(model), "--to", "c", "--early-exit", "--out", str(out)]) == 0
    assert files(out) == export_c(tree, "iris", precision="int8", style="straight", early_exit=True)
    assert "It stops as soon as no other class is possible" in (out / "iris.h").read_text()
    capsys.readouterr()
    for code in (["--precision", "float32"], ["--style", "table"]):
        message = refused(capsys, model, "--to", "c", "--early-exit", "--out", out, *code)
        assert "give --precision int8 --style straight" in message
    save(TREE, model)
    assert "this is a regression" in refused(capsys, model, "--to", "c", "--early-exit", "--out", out)


@pytest.mark.parametrize("digits", ["0", "18", "-3", "4.5", "four"])
def test_digits_are_checked(digits: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(capsys, model, "--to", "text", f"--digits={digits}", "--out", tmp_path / "a.txt")
    assert "1 to 17" in message or "invalid int value" in message


@pytest.mark.parametrize("package", ["onnx", "sympy"])
def test_a_missing_extra_is_one_line(
    package: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    to, file = ("onnx", "a.onnx") if package == "onnx" else ("latex", "a.tex")
    message = refused(capsys, model, "--to", to, "--out", tmp_path / file)
    assert f"needs the package {package}: pip install 'neuraltree[export]'" in message


@pytest.mark.parametrize("to", ["python", "micropython", "latex", "text", "dot", "json"])
def test_formats_without_extras_load_none(to: str, model: Path, tmp_path: Path) -> None:
    out = tmp_path / f"a{FORMATS[to].suffixes[0]}"
    code = (
        "import sys; from neuraltree.export.__main__ import main\n"
        f"main([{str(model)!r}, '--to', {to!r}, '--out', {str(out)!r}])\n"
        "print([name for name in ('jax', 'sklearn', 'scipy', 'matplotlib', 'onnx') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_line_it_prints_checks_the_module(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "a 'model.py"
    assert main([str(model), "--to", "python", "--out", str(out)]) == 0
    line = capsys.readouterr().out.splitlines()[-1].removeprefix("to check it: python ")
    done = subprocess.run(f"{sys.executable} {line}", shell=True, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "6 of 6 rows are right\n")


def test_several_targets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Code for devices takes one at a time and says so; all else takes them."""
    path = tmp_path / "several.json"
    save(several(), path)
    for to, row in FORMATS.items():
        out = tmp_path / f"out-{to}{(row.suffixes or ('',))[0]}"
        if row.suffixes and not row.integers and to != "constants":
            assert main([str(path), "--to", to, "--out", str(out)]) == 0
            capsys.readouterr()
            continue
        message = refused(capsys, path, "--to", to, "--out", out)
        assert "export takes one target; this tree has 3, so use tree.target(i), one at a time" in message


def test_a_model_of_the_reference_becomes_our_own_file(tmp_path: Path) -> None:
    leaves = [{"name": f"i:{i}; e:{w}"} for i, w in enumerate((0.5, -1.5))]
    theirs, ours = tmp_path / "iris_model.json", tmp_path / "iris.json"
    theirs.write_text(json.dumps({"name": "f:2; e:0.3; b:0.1; p:[0, 1, sigmoid]", "children": leaves}))
    assert main([str(theirs), "--to", "json", "--out", str(ours)]) == 0
    assert load(ours) == load(theirs)
    assert json.loads(ours.read_text())["format"] == "neuraltree"
