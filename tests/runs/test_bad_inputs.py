"""Bad inputs to the command line: each gives one line, the right exit code, and a disk as it was before."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
import urllib.error
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import sklearn.datasets

from neuraltree.cli.command import BAD_INPUT
from search.config.config import config_hash, load_config, to_toml
from search.errors import LOCKED
from search.folder.records import RunFolder, write_text
from search.run import main
from search.table.loading import load_table
from search.variation.operators import OPERATORS

Files = Mapping[str, str | bytes | None]  # by path; a folder where there is no content

CLASSES = "p,q,label\n" + "\n".join(f"{i},{i * i % 7},{'abc'[i % 3]}" for i in range(60)) + "\n"
NUMBERS = "p,q,y\n" + "\n".join(f"{i},{i * i % 7},{i / 2 + 0.25}" for i in range(60)) + "\n"
MANY = "p,q,label\n" + "\n".join(f"{i},{i * i % 7},c{i % 6}" for i in range(120)) + "\n"
RARE = "p,q,y\n" + "\n".join(f"{i},{i * i % 7},{0.75 if i == 7 else 0.25}" for i in range(60)) + "\n"
TINY = "p,q,y\n" + "\n".join(f"{i},{i * i % 7},{i}e-200" for i in range(60)) + "\n"
# A run that a fault let through would be over soon, and leave a folder.
CONFIG = """
[data]
source = "t.csv"
[run]
out = "new/run"
[search]
population = 4
generations = 0
folds = 2
[train]
epochs = 1
"""


NO_FILES: Files = {}


class Case(NamedTuple):
    """``arguments`` of the command line, in a folder with ``files`` besides my.toml and t.csv."""

    name: str
    fragments: Sequence[str]
    arguments: Sequence[str] = ("my.toml",)
    files: Files = NO_FILES
    code: int = BAD_INPUT


def config(name: str, text: str | bytes, *fragments: str) -> Case:
    """A whole config file."""
    return Case(name, ("my.toml", *fragments), files={"my.toml": text})


def settings(name: str, values: Sequence[str], *fragments: str, table: str = CLASSES) -> Case:
    """A good config with some values set on the command line."""
    arguments = ["my.toml", *(text for value in values for text in ("--set", value))]
    return Case(name, fragments, arguments, {"t.csv": table})


def table(name: str, content: str | bytes, *fragments: str) -> Case:
    return Case(name, ("t.csv", *fragments), files={"t.csv": content})


def refusing(name: str, content: str, *fragments: str) -> Case:
    """A table whose missing cells are refused."""
    return settings(name, ["data.missing=refuse"], "t.csv", *fragments, table=content)


def arrays(name: str, content: bytes, *fragments: str, more: Sequence[str] = ()) -> Case:
    arguments = ["my.toml", "--set", "data.source=t.npz", *more]
    return Case(name, ("t.npz", *fragments), arguments, {"t.npz": content})


def command(
    name: str, arguments: Sequence[str], *fragments: str, files: Files = NO_FILES, code: int = BAD_INPUT
) -> Case:
    return Case(name, fragments, arguments, files, code)


def resume(name: str, files: Files, *fragments: str) -> Case:
    """Going on in a run folder, some of whose files have been changed."""
    changes = {f"run/{path}": content for path, content in files.items()}
    return Case(f"resume with {name}", fragments, ("run", "--resume"), changes)


def changed(line: int, text: str) -> str:
    """The table with one of its lines, from 1, replaced."""
    lines = CLASSES.splitlines()
    lines[line - 1] = text
    return "\n".join(lines)


def weighed(*weights: int, label: str = "{i}.5") -> str:
    """Sixty rows with the columns p, w, y; ``weights`` in turn."""
    rows = [f"{i},{weights[i % len(weights)]},{label.format(i=i, c='abc'[i % 3])}" for i in range(60)]
    return "p,w,y\n" + "\n".join(rows)


def npz(**content: np.ndarray) -> bytes:
    stored = io.BytesIO()
    np.savez(stored, **content)
    return stored.getvalue()


class Executed:
    """Unpickled, it leaves a file behind, which the test sees."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("executed",)


X, Y = np.arange(120.0).reshape(60, 2) ** 2, np.array([0, 1, 2] * 20)
SIX = '["error", "weights", "nodes", "macs", "distinct_activations", "log_loss"]'
# In the folder of ``begin_run``.
ELSEWHERE = CONFIG.replace("t.csv", "../t.csv") + "batch_size = 3"
CUT: Files = {f"checkpoint/state-00000{i}.npz": npz(x=np.arange(5))[:100] for i in (0, 1)}
GARBAGE: Files = {f"checkpoint/state-00000{i}.json": "{\0" for i in (0, 1)}
PICKLED: Files = {f"checkpoint/state-00000{i}.npz": npz(x=np.array([Executed()])) for i in (0, 1)}

CASES = [
    # Command line.
    command("no argument", [], "path", "--help"),
    command("unknown option", ["my.toml", "--frobnicate"], "--frobnicate", "--help"),
    command("two configs", ["my.toml", "other.toml"], "unrecognized arguments: other.toml"),
    command("seed that is no number", ["my.toml", "--seed", "abc"], "--seed", "'abc'"),
    command("seed without a value", ["my.toml", "--seed"], "--seed", "expected one argument"),
    command("seed out of range", ["my.toml", "--seed", "-1"], "run.seed = -1", ">= 0"),
    command("quiet and json", ["my.toml", "--quiet", "--json"], "--json", "not allowed with", "--quiet"),
    command("set without =", ["my.toml", "--set", "train.epochs"], "--set train.epochs", "section.key=value"),
    command("set of two lines", ["my.toml", "--set", "run\nseed"], "--set run\\nseed", "section.key=value"),
    command("set of half a list", ["my.toml", "--set", "data.drop=[a"], "--set data.drop=[a", "not a TOML value"),
    command("set of brackets without end", ["my.toml", "--set", "data.drop=" + "[" * 5000], "not a TOML value"),
    settings("set of an unknown key", ["train.epoch=3"], "train.epoch", "did you mean epochs?"),
    settings("set of an unknown section", ["trian.epochs=3"], "trian", "did you mean train?"),
    settings("set of a bad value", ["train.epochs=many"], "train.epochs = 'many'", "a whole number"),
    # The config file.
    command("config missing", ["none.toml"], "none.toml", "no such config file"),
    command("config with too long a name", ["a" * 300], "cannot be read as a config file", "File name too long"),
    command("config is a folder", ["there"], "there is a folder", "--resume", files={"there": None}),
    command("config without a name", [""], "is a folder"),
    config("config not TOML", "[data\nsource = 1", "not TOML", "line 1"),
    config("config not UTF-8", b'[data]\nsource = "\xff\xfe"', "cannot be read as a config file"),
    config("config empty", "", "data.source is missing"),
    config("config without data", "[run]\nseed = 1", "data.source is missing"),
    config("config with brackets without end", "a = " + "[" * 5000, "not TOML"),
    config("number too long", CONFIG + "learning_rate = " + "1" * 5000, "not TOML"),
    config("number too long to show", CONFIG + "batch_size = 0x" + "f" * 5000, "train.batch_size = a int too long"),
    config("unknown section", CONFIG + "[serch]\nfolds = 2", "serch", "did you mean search?"),
    config("key in the wrong section", CONFIG + "folds = 2", "train.folds", "did you mean search.folds?"),
    config("key given twice", CONFIG + "epochs = 2", "not TOML"),
    # Each section.
    settings("data: empty source", ["data.source="], "data.source is empty", "iris"),
    settings("data: no test rows", ["data.test_fraction=0"], "data.test_fraction = 0", "> 0 and < 0.9"),
    settings("run: seed too large", ["run.seed=4294967296"], "run.seed = 4294967296"),
    settings("task: misspelt kind", ["task.kind=clasification"], "task.kind", "did you mean classification?"),
    settings("task: cross-entropy of numbers", ["task.loss=cross_entropy"], "cross_entropy", "squared", table=NUMBERS),
    settings("task: weights of no classes", ["task.class_weight=balanced"], "class_weight", table=NUMBERS),
    settings("task: numbers wanted", ["task.kind=regression"], "line 2", "'label'", "'a' is not a number"),
    settings("space: unknown activation", ['space.activations=["tanhh"]'], "'tanhh'", "did you mean tanh?"),
    settings("space: no room", ["space.max_nodes=5"], "space.max_nodes = 5", "3 outputs", "at least 6"),
    settings("space: huge", ["space.max_nodes=2147483647"], "space.max_nodes = 2147483647", "<= 10000"),
    settings("space: reference does not fit", ["space.generator=reference"], "space.generator", "max_nodes = 60"),
    settings("search: list wanted", ["search.objectives=error"], "search.objectives = 'error'", "a list"),
    settings("search: unknown objective", ['search.objectives=["eror"]'], "'eror'", "did you mean error?"),
    settings("search: repeated objective", ['search.objectives=["error", "error"]'], "twice: error, error"),
    settings("search: objective of numbers", ['search.objectives=["rmse"]'], "'rmse'", "multiclass", "error_rate"),
    settings("search: of classes", ['search.objectives=["log_loss"]'], "'log_loss'", "regression", table=NUMBERS),
    settings("search: six objectives", [f"search.objectives={SIX}"], "hypervolume", "5 objectives", "6", "nsga3"),
    settings("search: one per class", ['search.objectives=["class_errors", "nodes"]'], "7", "nsga3", table=MANY),
    settings("search: huge", ["search.population=2147483647"], "search.population = 2147483647", "<= 1000000"),
    settings("groups: too few", ["data.group=w"], "data.group: 3 groups leave 2 to train", table=weighed(1, 2, 3)),
    settings("times: too few", ["data.time=w"], "data.time: 1 of search.folds = 2", table=weighed(1, 2, 3)),
    settings("times with groups", ["data.time=w", "data.group=p"], "data.time cannot be", table=weighed(1, 2)),
    settings("search: too many folds", ["search.folds=20"], "class 'a' has 20 rows", "search.folds = 20"),
    settings("reference: not an objective", ["reference.nodes=5"], "reference", "'nodes'", "allowed: error, weights"),
    settings("reference: huge", ["reference.error=1e308"], "reference.error = 1e+308", "<= 1e+30"),
    settings("variation: unknown operator", ["variation.crosover=1"], "'crosover'", "did you mean crossover?"),
    settings("variation: all zero", [f"variation.{row.name}=0" for row in OPERATORS], "every operator", "0"),
    settings("variation: huge", ["variation.crossover=1.7e308"], "variation.crossover = 1.7e+308", "<= 1e+30"),
    settings("train: misspelt optimizer", ["train.optimizer=adm"], 'train.optimizer = "adm"', "did you mean adam?"),
    settings("train: huge rate", ["train.learning_rate=1e300"], "train.learning_rate = 1e+300", "<= 1e+30"),
    settings("train: rate not a number", ["train.learning_rate=nan"], "train.learning_rate = nan"),
    settings("train: huge", ["train.epochs=2147483647"], "train.epochs = 2147483647", "<= 100000"),
    settings("hardware: none", ['search.objectives=["error", "latency_s"]'], "latency_s", "hardware.device"),
    settings("hardware: unknown", ["hardware.device=pdp11"], "unknown device 'pdp11'", "cortex-m4f"),
    settings("hardware: no such profile", ["hardware.device=my-board.toml"], "hardware", "my-board.toml"),
    settings(
        "hardware: no such code",
        ["hardware.device=rv32imc", "hardware.precision=int8", "hardware.compiler=gcc-O3"],
        "rv32imc has no figures for int8 straight by gcc-O3",
        "int8 straight clang",
    ),
    settings("constraints: unknown", ["constraints.nods=5"], "'nods'", "did you mean nodes?"),
    settings("constraints: not an objective", ["constraints.log_loss=1"], "constraints.log_loss", "search.objectives"),
    settings("constraints: no device", ["constraints.ram_bytes=100"], "ram_bytes", "hardware.device"),
    # Where the table is.
    settings("source: unknown name", ["data.source=iriss"], "'iriss'", "did you mean iris?"),
    settings("source: missing", ["data.source=none.csv"], "none.csv", "no such file"),
    settings("source: in a file", ["data.source=t.csv/t.csv"], "t.csv/t.csv", "no such file"),
    settings("source: a folder", ["data.source=./"], "is not a file"),
    settings("source: nobody's home", ["data.source=~nobody-of-this-name/t.csv"], "data.source = '~nobody"),
    settings("source: name too long", [f"data.source={'a' * 300}.csv"], "cannot be read"),
    settings("source: no number", ["data.source=openml:abc"], "'openml:abc'", "as openml:61"),
    settings("source: NUL", ['data.source="a\\u0000.csv"'], "data.source = 'a\\x00.csv' is not a path"),
    # The table.
    table("table empty", "", "the file is empty"),
    table("table of a header", "p,q,label\n", "a header line and no rows"),
    table("table of commas", ",,\n,,\n", "every cell is blank"),
    table("table binary", bytes(range(256)), "not a text file"),
    table("table of bytes 0", b"PK\x03\x04\0\0", "not a text file", ".npz"),
    table("table too short", "\n".join(CLASSES.splitlines()[:6]), "5 rows are too few"),
    table("ragged", changed(5, "3,2"), "line 5 has 2 cells", "line 1 has 3"),
    table("open quotes", CLASSES + '60,"2,a', "line 62 is not CSV"),
    refusing("blank cell", changed(5, "3,,a"), "1 missing value ", "line 5, column 'q'"),
    refusing("NaN", changed(5, "nan,2,a"), "1 missing value ", "line 5, column 'p'"),
    refusing("text", changed(5, "3,two,a"), "line 5, column 'q'", "'two' is not a number", 'columns = {"q" ='),
    table("infinite", changed(5, "3,-inf,a"), "line 5, column 'q'", "-inf is infinite"),
    table("too large", changed(5, "3,1e31,a"), "line 5, column 'q'", "1e+31 is beyond"),
    table("constant", "p,q,label\n" + "".join(f"7,1,{'ab'[i % 2]}\n" for i in range(60)), "constant: p, q"),
    table("one class", CLASSES.replace("b\n", "a\n").replace("c\n", "a\n"), "one class only, 'a'"),
    table("one row of a class", changed(5, "3,2,z"), "class 'z' has one row only, line 5"),
    settings("target missing", ["data.target=lable"], "'lable'", "did you mean label?"),
    settings("all columns dropped", ['data.drop=["p", "q"]'], "no column is left to predict from"),
    settings("target tiny", [], "target 'y'", "in all 48 training rows", table=TINY),
    settings("target nearly constant", ["data.target=y"], "target 'y'", "in all 12 test rows", "run.seed", table=RARE),
    settings("target constant", ["data.target=y"], "0.25 in every row", table="p,y\n" + "1,0.25\n2,0.25\n" * 9),
    # Weights of rows.
    settings("weight: unknown", ["data.weight=wt"], "data.weight", "'wt'", "did you mean w?", table=weighed(1, 2)),
    settings("weight: the target", ["data.weight=y", "data.target=y"], "'y' are the target", table=weighed(1, 2)),
    settings("weight: dropped", ["data.weight=w", 'data.drop=["w"]'], "'w' are among data.drop", table=weighed(1, 2)),
    settings("weight: negative", ["data.weight=p"], "line 2, column 'p': -1 is no weight", table=changed(2, "-1,2,a")),
    settings("weight: infinite", ["data.weight=p"], "column 'p': inf is no weight", table=changed(5, "inf,2,a")),
    settings("weight: missing", ["data.weight=p"], "line 5, column 'p': nan is no weight", table=changed(5, ",2,a")),
    settings("weight: text", ["data.weight=p"], "line 5, column 'p': 'x' is not a number", table=changed(5, "x,2,a")),
    settings("weight: all 0", ["data.weight=w"], "'w' are 0 in every row", table=weighed(0)),
    settings("weight: 0 for a class", ["data.weight=w"], "training", "class 'a'", table=weighed(0, 1, 1, label="{c}")),
    settings("weight: 0 but for a row", ["data.weight=w"], "data.weight is 0", "fold", table=weighed(1, *[0] * 59)),
    # Arrays.
    arrays("arrays of objects", npz(X=X, y=np.array([Executed()] * 60)), "cannot be read", "allow_pickle=False"),
    arrays("pickle", pickle.dumps(Executed()), "cannot be read as .npz"),
    arrays("arrays without y", npz(X=X), "no array named y"),
    arrays("arrays of one dimension", npz(X=X[:, 0], y=Y), "X must have the shape (rows, features)"),
    arrays("arrays of two lengths", npz(X=X, y=Y[:-1]), "y must have the shape (rows,)", "y (59,)"),
    arrays("arrays cut off", npz(X=X, y=Y)[:500], "cannot be read as .npz"),
    arrays(
        "arrays with NaN",
        npz(X=np.where(X == 16, np.nan, X), y=Y),
        "1 missing value ",
        "row 2, column 'x0'",
        more=("--set", "data.missing=refuse"),
    ),
    arrays("infinite target", npz(X=X, y=np.where(Y == 2, np.inf, Y)), "row 2, column 'target'", "inf is infinite"),
    arrays(
        "arrays with texts for weights",
        npz(X=X, y=Y, w=Y.astype(str)),
        "w must hold 60 numbers",
        more=("--set", "data.weight=w"),
    ),
    arrays("names that are no text", npz(X=X, y=Y, features=np.array(["a", "\ud800"])), "is not UTF-8"),
    # Where to.
    command("out is not empty", ["my.toml", "--out", "."], "is not empty", "--out"),
    command("dry run, out is not empty", ["my.toml", "--out", ".", "--dry-run"], "is not empty", "--out"),
    command("out that is no text", ["my.toml", "--out", "a\udcff"], "my.toml", "cannot be written as UTF-8"),
    command("out is a file", ["my.toml", "--out", "t.csv"], "t.csv is a file", "--out"),
    command("out is in a file", ["my.toml", "--out", "t.csv/new/run"], "cannot make t.csv/new/run", "Not a directory"),
    command("dry run, out is in a file", ["my.toml", "--out", "t.csv/run", "--dry-run"], "t.csv/run", "--out"),
    command("out is too long", ["my.toml", "--out", "a" * 300], "cannot make", "File name too long"),
    command("out without a name", ["my.toml", "--out", ""], "--out", "empty"),
    command("out with NUL", ["my.toml", "--set", 'run.out="a\\u0000b"'], "cannot make a\\x00b", "--out"),
    command("out is empty", ["my.toml", "--out", "there", "--set", "hardware.device=x"], "'x'", files={"there": None}),
    # Going on.
    command("resume of a config", ["my.toml", "--resume"], "my.toml is not a run folder", "--out FOLDER"),
    command("resume of nothing", ["none", "--resume"], "none is not a run folder", "no such folder"),
    command("resume of what has too long a name", ["a" * 300, "--resume"], "cannot read", "File name too long"),
    command("resume of an empty folder", ["there", "--resume"], "there is not a run folder", files={"there": None}),
    command("resume with set", ["run", "--resume", "--set", "run.seed=1"], "--resume", "--set"),
    command("resume with seed", ["run", "--resume", "--seed", "0"], "--resume", "--seed"),
    command("resume with out", ["run", "--resume", "--out", "new"], "--resume", "--out"),
    command("resume with an empty out", ["run", "--resume", "--out", ""], "--resume", "--out"),
    command("resume with dry run", ["run", "--resume", "--dry-run"], "--resume and --dry-run"),
    command("run without resume", ["run"], "run is a folder", "--resume"),
    command("new run over a run", ["my.toml", "--out", "run"], "run is not empty", "run --resume"),
    resume("damaged manifest", {"manifest.json": '{"status": '}, "run/manifest.json is damaged"),
    resume("manifest of a list", {"manifest.json": "[]"}, "run/manifest.json is damaged", "[]"),
    resume("damaged config", {"config.toml": CONFIG[:9]}, "run/config.toml: not TOML"),
    resume("binary config", {"config.toml": b"\xff\xfe\0"}, "run/config.toml: cannot be read as a config file"),
    resume("empty config", {"config.toml": ""}, "run/config.toml: data.source is missing"),
    resume("other config", {"config.toml": ELSEWHERE}, "run/config.toml is not what the run began with"),
    resume("other data", {"../t.csv": changed(5, "3,3,a")}, "t.csv", "not what the run began with", "restore"),
    resume("damaged data", {"../t.csv": changed(5, "3,3")}, "t.csv: line 5 has 2 cells"),
    resume("cut checkpoints", CUT, "run/checkpoint/state-000001.npz is damaged", "delete run/checkpoint"),
    resume("garbage for checkpoints", GARBAGE, "run/checkpoint/state-000001.json is damaged", "delete run/checkpoint"),
    resume("pickles for checkpoints", PICKLED, "run/checkpoint/state-000001.npz is damaged", "delete run/checkpoint"),
    command("folder in use", ["run", "--resume"], "run is in use", code=LOCKED),
    command("new run in a folder in use", ["my.toml", "--out", "run"], "run is in use", code=LOCKED),
]


def write(files: Files) -> None:
    for name, content in files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.mkdir()
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())


def begin_run(path: Path) -> None:
    """A run folder as a kill after two generations leaves it, but for what is in the checkpoints."""
    made = load_config(Path("my.toml"))
    table = load_table(made)
    with RunFolder(path) as folder:
        folder.create()
        write_text(path / "config.toml", to_toml(made))
        folder.update_manifest(status="running", config_hash=config_hash(made), data_hash=table.digest)
        for generation in (0, 1):
            folder.save_checkpoint(generation, {"x": np.arange(5)}, {"generation": generation})


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every file and folder below one."""
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


def command_line(arguments: Sequence[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    capsys.readouterr()
    try:
        code = main(arguments)
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    return code, *capsys.readouterr()


def refused(case: Case, found: tuple[int, str, str]) -> None:
    code, output, errors = found
    assert (code, output) == (case.code, "")
    assert errors.startswith("error: ")
    assert errors.endswith("\n")
    assert len(errors.splitlines()) == 1
    for fragment in case.fragments:
        assert fragment in errors


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with a good config and table."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NEURALTREE_DATA", raising=False)
    write({"my.toml": CONFIG, "t.csv": CLASSES})
    return tmp_path


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_bad_input_is_one_line_and_leaves_nothing(here: Path, capsys: pytest.CaptureFixture[str], case: Case) -> None:
    if "run" in case.arguments:
        begin_run(Path("run"))
    write(case.files)
    before = contents(here)
    with RunFolder(Path("run")) as other:
        if case.code == LOCKED:
            other.reopen()
        refused(case, command_line(case.arguments, capsys))
    assert contents(here) == before


# One of the parser, one before and one after JAX is imported, one that must not execute what it reads.
AS_PROCESSES = ("no argument", "search: unknown objective", "hardware: unknown", "pickle")


@pytest.mark.parametrize("case", [case for case in CASES if case.name in AS_PROCESSES], ids=AS_PROCESSES)
def test_a_bad_input_as_a_process(here: Path, case: Case) -> None:
    write(case.files)
    before = contents(here)
    done = subprocess.run(
        [sys.executable, "-m", "search.run", *case.arguments], capture_output=True, text=True, check=False
    )
    # On a busy machine a step takes more than two seconds and is named, indented, as progress.
    said = "".join(line for line in done.stderr.splitlines(keepends=True) if not line.startswith("  "))
    refused(case, (done.returncode, done.stdout, said))
    assert contents(here) == before


def test_openml_out_of_reach_is_one_line(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(**_: object) -> None:
        warnings.warn("Retrying...", stacklevel=1)
        raise urllib.error.URLError("no route")

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fetch)
    before = contents(here)
    case = settings("openml", ["data.source=openml:61"], "openml:61: cannot be fetched", "no route", "CSV file")
    refused(case, command_line(case.arguments, capsys))
    assert contents(here) == before


def test_what_must_not_be_executed_would_be_seen(here: Path) -> None:
    before = contents(here)
    pickle.loads(pickle.dumps(Executed()))
    assert contents(here) != before


@pytest.mark.parametrize("table", [CLASSES, NUMBERS, MANY])
def test_without_its_fault_a_case_is_accepted(here: Path, capsys: pytest.CaptureFixture[str], table: str) -> None:
    write({"t.csv": table})
    code, output, errors = command_line(["my.toml", "--dry-run"], capsys)
    assert (code, errors) == (0, "")
    assert "[data]" in output


def test_the_run_folder_of_the_cases_is_sound(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begin_run(Path("run"))
    write_text(Path("run/manifest.json"), '{"status": "complete"}')
    code, output, errors = command_line(["run", "--resume"], capsys)
    assert (code, output) == (0, "")
    assert "complete" in errors
