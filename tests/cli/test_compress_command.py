"""``neuraltree compress``: a front of smaller models in a new folder, and what is refused before work starts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import neuraltree
from neuraltree.compress import with_weight_format
from neuraltree.compress.pruning import path as path_of_sizes
from neuraltree.compress.pruning.lesson import Lesson
from neuraltree.tree.nodes import Nodes
from search.cli.device_code.training_rows import training_rows
from search.cli.neuraltree_command import main
from search.compressing.size_path import Cutting
from search.config.config import load_config
from search.front import load_front
from search.table.loading import load_table
from search.table.splits import split
from tests.cli.test_neuraltree import table
from tests.helpers.random_models import IDENTITY, TANH, regression


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compress")
    table(folder / "birds.csv")
    options = ["--target", "species", "--generations", "2", "--set", "search.population=20", "--quiet"]
    assert main(["fit", str(folder / "birds.csv"), *options, "--out", str(folder / "run")]) == 0
    return folder / "run"


def test_the_folder_is_a_front_that_other_commands_take(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, chosen = tmp_path / "small", load_front(run).recommended()
    given = ["--prune", "0.3", "0.6", "--epochs", "3", "--out", str(out)]
    assert main(["compress", str(run), *given]) == 0
    front = load_front(out)
    assert front.error == "honest_error"
    assert max(member.nodes for member in front) <= chosen.nodes
    assert min(member.nodes for member in front) < chosen.nodes
    for member in front:
        assert {"honest_error_se", "test_error", "weights"} <= member.values.keys()
        assert member.tree().num_weights == member.weights
    rows = {"length": [41.0, 52.0], "depth": [18.0, 16.0]}
    assert front[0].tree().predict(rows).tolist() == neuraltree.load(front[0].path).predict(rows).tolist()
    assert main(["show", str(out)]) == 0
    assert main(["export", str(out), "--to", "c", "--out", str(tmp_path / "c")]) == 0
    (note,) = json.loads((out / "manifest.json").read_text())["notes"]
    how = "3 epochs at 0.01 after each size, seed 0"
    assert note.endswith(f"({chosen.nodes:.0f} nodes) without 0.3, 0.6 of its nodes by ablation, {how}")
    capsys.readouterr()
    assert main(["compress", str(run), *given]) == 2
    assert "is not empty; name another folder with --out\n" in capsys.readouterr().err  # there is nothing to resume
    assert main(["report", str(out)]) == 2
    assert "holds models of neuraltree compress, without a search to report" in capsys.readouterr().err
    again = tmp_path / "again"
    assert main(["compress", str(run), *given[:-1], str(again)]) == 0
    assert (again / "front.csv").read_bytes() == (out / "front.csv").read_bytes()


def test_a_model_file_takes_the_rows_of_a_table(run: Path, tmp_path: Path) -> None:
    model = tmp_path / "copy.json"
    assert load_front(run).recommended().path is not None
    model.write_bytes(Path(str(load_front(run).recommended().path)).read_bytes())
    rows = table(tmp_path / "more.csv", rows=60)
    given = ["--prune", "0.5", "--epochs", "0", "--retrain", str(rows), "--target", "species"]
    assert main(["compress", str(model), *given, "--device", "cortex-m0plus", "--out", str(tmp_path / "small")]) == 0
    assert all(member.flash_bytes > 0 for member in load_front(tmp_path / "small"))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--precision", "shared4", "--out", "{out}"], "weights that could share values; below 100 the values cost"),
        (["--prune", "1.5", "--out", "{out}"], "shares are [1.5]; they must rise, and lie above 0 and below 1"),
        (["--prune", ".5", "--criterion", "best", "--out", "{out}"], "unknown criterion 'best'; allowed: ablation"),
        (["--precision", "int5", "--out", "{out}"], "unknown format of weights 'int5'; allowed: fp16, bf16, int8"),
        (["--prune", ".5", "--out", "{run}"], "is not empty; name another folder with --out"),
        (["--prune", ".5", "--epochs", "-1", "--out", "{out}"], "epochs=-1 and steps=3; epochs are 0 or more"),
        (["--prune", ".5", "--retrain", "{other}", "--target", "y", "--out", "{out}"], "none of the model's classes"),
        (["--prune", ".5", "--retrain", "{none}", "--target", "y", "--out", "{out}"], "none.csv"),
    ],
)
def test_bad_input_is_told_before_anything_is_written(
    given: list[str], told: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.csv"
    lines = [f"{x},{x},{'ab'[i % 2]}" for i, x in enumerate(np.linspace(0, 1, 40))]
    other.write_text("\n".join(["length,depth,y", *lines]))
    places = {"out": tmp_path / "out", "run": run, "other": other, "none": tmp_path / "none.csv"}
    assert main(["compress", str(run), *(text.format(**places) for text in given)]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert "cutting" not in said
    assert "weights in" not in said
    assert not (tmp_path / "out").exists()


def test_a_cut_that_leaves_too_few_weights_to_share_values_is_refused_first() -> None:
    rows = [(0, IDENTITY, 0.0, 0.0)]
    for _ in range(10):
        rows += [(1, TANH, 1.0, 0.0), *((2, i, 1.0, 0.0) for i in range(30))]
    tree = regression(rows)
    Cutting((0.3,), "ablation", 0, 0.01, 0, "shared4").check(tree)
    Cutting((0.3, 0.9), "subtree", 0, 0.01, 0, "shared4").check(tree)  # may leave more
    Cutting((0.3, 0.9), "ablation", 0, 0.01, 0, "int4").check(tree)
    with pytest.raises(ValueError, match=r"with 90 % of its nodes cut the tree has at most \d\d weights that could"):
        Cutting((0.3, 0.9), "ablation", 0, 0.01, 0, "shared4").check(tree)


def test_defaults_are_sizes_and_a_folder_beside(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["compress", str(run), "--epochs", "0"]) == 0
    assert len(load_front(tmp_path / "run-small")) >= 2
    copied = shutil.copytree(run, tmp_path / "v1.2")
    assert main(["compress", str(copied), "--epochs", "0"]) == 0
    assert len(load_front(tmp_path / "v1.2-small")) >= 2


def test_a_model_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compress", "--prune", ".5"]) == 2
    assert "name a run folder or a model file, as in: neuraltree compress penguins" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["int4", "ternary", "fp16"])
def test_weights_take_the_values_of_a_format(name: str, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "few"
    assert main(["compress", str(run), "--precision", name, "--epochs", "2", "--out", str(out)]) == 0
    (member,) = load_front(out)
    nodes = member.tree().nodes
    again = with_weight_format(member.tree(), name).nodes
    below = nodes["depth"] > (0 if name == "fp16" else 1)  # edges into outputs keep 8 bits, whose scale may move
    assert np.allclose(nodes["weight"][below], again["weight"][below], rtol=1e-9)
    if name != "fp16":
        assert main(["export", str(out), "--to", "c", "--precision", name, "--out", str(tmp_path / "c")]) == 0


def test_cuts_of_a_model_with_a_format_of_its_own_are_trained_and_judged_in_it(tmp_path: Path) -> None:
    table(tmp_path / "birds.csv")
    options = ["--target", "species", "--generations", "1", "--device", "cortex-m0plus", "--quiet"]
    sets = ["--set", "search.population=12", "--set", 'hardware.precision=["ternary", "int4"]']
    assert main(["fit", str(tmp_path / "birds.csv"), *options, *sets, "--out", str(tmp_path / "run")]) == 0
    front = load_front(tmp_path / "run")
    formats = {member.precision: member.path for member in front}
    for name, path in formats.items():
        out, given = tmp_path / name, ["--prune", "0.3", "--epochs", "2", "--out"]
        assert main(["compress", str(path), *given, str(out)]) == 0
        assert load_config(out / "config.toml").hardware.precision == name
        assert {member.precision for member in load_front(out)} == {name}
        asked = tmp_path / f"asked-{name}"
        assert main(["compress", str(path), "--precision", name, *given, str(asked)]) == 0
        assert (asked / "front.csv").read_bytes() == (out / "front.csv").read_bytes()
    bare = ["--target", "species", "--generations", "1", "--quiet", "--set", "search.population=12"]
    one = [*bare, "--set", "hardware.precision=int4", "--out", str(tmp_path / "bare")]  # no device: no chosen code
    assert main(["fit", str(tmp_path / "birds.csv"), *one]) == 0
    assert main(["compress", str(tmp_path / "bare"), "--epochs", "1", "--out", str(tmp_path / "cut")]) == 0
    assert load_config(tmp_path / "cut" / "config.toml").hardware.precision == "int4"
    path, out = next(iter(formats.values())), tmp_path / "half"
    assert main(["compress", str(path), "--precision", "fp16", "--epochs", "1", "--out", str(out)]) == 0
    assert load_config(out / "config.toml").hardware.precision == "int8"


def test_a_model_teaches_its_cuts_and_in_each_fold_the_model_that_was_trained_there(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teachers: list[tuple[int, bytes]] = []
    real = path_of_sizes.taught_by

    def noted(lesson: Lesson, nodes: Nodes) -> Lesson:
        teachers.append((len(lesson.inputs), nodes.tobytes()))
        return real(lesson, nodes)

    monkeypatch.setattr(path_of_sizes, "taught_by", noted)
    out = tmp_path / "small"
    assert main(["compress", str(run), "--prune", "0.5", "--epochs", "3", "--teach", "--out", str(out)]) == 0
    (note,) = json.loads((out / "manifest.json").read_text())["notes"]
    assert note.endswith("seed 0, taught by itself")
    (rows, model), *folds = teachers
    assert len(folds) == 5
    assert sum(rows - count for count, _ in folds) == rows
    assert len({model, *(nodes for _, nodes in folds)}) == 6
    teachers.clear()
    assert main(["compress", str(run), "--prune", "0.5", "--epochs", "3", "--out", str(tmp_path / "alone")]) == 0
    assert not teachers


def test_criteria_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compress", "--criteria"]) == 0
    shown = capsys.readouterr().out
    assert "ablation   what the loss rises by" in shown
    assert "input " in shown


def test_a_model_of_no_run_needs_rows(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = tmp_path / "copy.json"
    model.write_bytes(Path(str(load_front(run).recommended().path)).read_bytes())
    assert main(["compress", str(model), "--prune", ".5", "--out", str(tmp_path / "small")]) == 2
    assert "is of no run, whose rows are known: add --retrain TABLE --target COLUMN" in capsys.readouterr().err


def test_the_test_rows_are_those_of_the_run_whatever_the_seed(run: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    options = ["--target", "species", "--generations", "2", "--set", "search.population=20", "--quiet", "--seed", "5"]
    assert main(["fit", str(run.parent / "birds.csv"), *options, "--out", str(other)]) == 0
    given = ["--prune", ".5", "--epochs", "0", "--seed", "1", "--out", str(tmp_path / "small")]
    assert main(["compress", str(other), *given]) == 0
    for folder in (other, tmp_path / "small"):
        table_of_run = load_table(config := load_config(folder / "config.toml"))
        assert config.run.seed == 5
        held = split(table_of_run, config.data.test_fraction, 5)[1]
        label = np.array(table_of_run.classes)[table_of_run.y[held]]
        for member in load_front(folder):
            right = member.tree().predict(table_of_run.X[held]) == label
            assert member.test_score == pytest.approx(right.mean())


def test_models_trained_on_all_rows_are_cut_without_test_rows(run: Path, tmp_path: Path) -> None:
    rows, folder = table(tmp_path / "more.csv", rows=60), tmp_path / "v1.2"
    given = ["--prune", "0.5", "--epochs", "0"]
    assert main(["compress", str(run), *given, "--retrain", str(rows), "--out", str(folder)]) == 0
    assert main(["compress", str(folder), *given, "--out", str(tmp_path / "again")]) == 0
    for made in (folder, tmp_path / "again"):
        assert not any("test_score" in member.values for member in load_front(made))
        assert len(training_rows(made, load_front(made)[0].tree())[0]) == 60


def test_formats_below_8_bits_leave_early_exits_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table(tmp_path / "birds.csv")
    options = ["--target", "species", "--generations", "1", "--set", "search.population=12", "--quiet"]
    options += ["--device", "cortex-m0plus", "--set", "hardware.precision=int8", "--set", "hardware.style=straight"]
    options += ["--set", "compress.early_exit=true", "--set", 'search.objectives=["error", "mean_latency_s"]']
    options += ["--set", "constraints.mean_latency_s=0.5"]
    assert main(["fit", str(tmp_path / "birds.csv"), *options, "--out", str(tmp_path / "run")]) == 0
    given = ["compress", str(tmp_path / "run"), "--prune", "0.5", "--epochs", "1"]
    assert main([*given, "--precision", "int4", "--out", str(tmp_path / "small")]) == 0
    assert load_front(tmp_path / "small")[0].latency_s > 0
    assert "the limit of 0.5 on mean_latency_s does not hold here" in capsys.readouterr().err
    assert main([*given, "--precision", "bf16", "--out", str(tmp_path / "half")]) == 0
    assert "--to c --precision bf16 --style table" in capsys.readouterr().err
