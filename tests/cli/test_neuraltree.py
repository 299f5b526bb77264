"""The command ``neuraltree``: from a table to a model, its front, answers and code."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import neuraltree
from neuraltree.compress import EarlyExit, early_exit_of, quantize_tree
from neuraltree.compress.pruning.lesson import lesson_of
from neuraltree.export.c.training.on_device import export_training
from neuraltree.updating.selection import WITH_ROWS, select
from search.cli.device_code.training_rows import training_rows
from search.cli.neuraltree_command import COMMANDS, Own, main
from search.cli.sizes import BUDGETS, amount_of
from search.config.config import load_config
from search.front import load_front

LABELS = ("adelie", "chinstrap", "gentoo")


def table(path: Path, rows: int = 90) -> Path:
    """Three kinds of birds that their lengths tell apart."""
    rng = np.random.default_rng(0)
    lines = ["length,depth,species"]
    for i in range(rows):
        kind = i % 3
        lines.append(f"{rng.normal(40 + 5 * kind):.2f},{rng.normal(18 - 2 * (kind == 2)):.2f},{LABELS[kind]}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("neuraltree")
    table(folder / "birds.csv")
    options = ["--target", "species", "--generations", "2", "--set", "search.population=20", "--quiet"]
    assert main(["fit", str(folder / "birds.csv"), *options, "--out", str(folder / "run")]) == 0
    return folder / "run"


def test_fit_writes_a_config_that_runs_again(run: Path) -> None:
    config = load_config(run / "config.toml")
    assert (config.data.target, config.search.generations, config.search.time) == ("species", 2, "")
    assert config.search.objectives == ("error", "weights")
    assert config.space.max_nodes == 105  # room for three classes
    assert Path(config.data.source) == run.parent / "birds.csv"


def test_a_budget_is_an_objective_and_a_constraint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = table(tmp_path / "birds.csv")
    given = ["--device", "cortex-m4f", "--flash", "2k", "--weights", "30", "--time", "9s", "--precision", "int8"]
    assert main(["fit", str(rows), *given, "--metric", "f1_macro", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    for text in (
        'objectives = [\n    "f1_macro",\n    "flash_bytes",\n    "weights",\n]',
        "[constraints]\nflash_bytes = 2048.0\nweights = 30.0\n",
        'device = "cortex-m4f"\nprecision = "int8"',
        'time = "9s"',
    ):
        assert text in shown


def test_inputs_are_integers_of_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = table(tmp_path / "birds.csv")
    given = ["--device", "cortex-m4f", "--input", "int16", "--input", "depth=int16/10", "--dry-run"]
    assert main(["fit", str(rows), *given]) == 0
    assert '[hardware.input]\ndefault = "int16"\ndepth = "int16/10"' in capsys.readouterr().out
    assert main(["fit", str(rows), "--device", "cortex-m4f", "--input", "wing=int16", "--dry-run"]) == 2
    assert "wing" in capsys.readouterr().err


def test_show_marks_the_chosen_model(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(run)]) == 0
    shown = capsys.readouterr().out
    front = load_front(run)
    assert shown.count("→") == 2
    assert str(front.recommended().path) in shown
    assert front.summary().splitlines()[0] in shown
    smallest = min(front, key=lambda member: member.weights)
    assert main(["show", str(run), "--weights", f"{smallest.weights:.0f}"]) == 0
    assert str(smallest.path) in capsys.readouterr().out


def test_export_takes_a_run_for_its_recommended_model(run: Path, tmp_path: Path) -> None:
    assert main(["export", str(run), "--to", "json", "--out", str(tmp_path / "model.json")]) == 0
    front = load_front(run)
    assert neuraltree.load(tmp_path / "model.json") == front.recommended().tree()
    card = json.loads((tmp_path / "model_card.json").read_text())
    assert card["model"]["weights"] == front.recommended().weights
    assert f"{front.recommended().weights:.0f} weights" in (tmp_path / "model_card.md").read_text()
    last = front[len(front) - 1]
    assert main(["export", str(last.path), "--to", "c", "--out", str(tmp_path / "last")]) == 0
    assert json.loads((tmp_path / "last" / "last_card.json").read_text())["model"]["weights"] == last.weights
    assert (tmp_path / "last" / "last.h").is_file()


def test_export_says_what_an_early_exit_saves(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ["export", str(run), "--to", "c", "--early-exit", "--out", str(tmp_path / "early")]
    assert main(given) == 0
    exits = early_exit_of(quantize_tree(load_front(run).recommended().tree()))
    assert exits.looks
    assert f"MACs on average, at most {exits.most_macs}" in capsys.readouterr().out
    with monkeypatch.context() as patched:
        whole = EarlyExit(exits.tree, tuple(replace(part, checks=()) for part in exits.parts))
        patched.setattr("neuraltree.compress.early_exit_of", lambda tree: whole)
        assert main(given) == 0
    assert f"computes all {exits.most_macs} MACs for every row" in capsys.readouterr().out
    (run.parent / "birds.csv").rename(tmp_path / "moved.csv")
    assert main(given) == 0
    (tmp_path / "moved.csv").rename(run.parent / "birds.csv")
    assert "is not known: " in capsys.readouterr().out


def test_export_chooses_trained_nodes_by_the_rows_of_the_run(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree, out = load_front(run).recommended().tree(), tmp_path / "pot"
    X, codes = training_rows(run, tree)
    y = np.array(tree.classes, dtype=object)[codes]
    given = ["export", str(run), "--to", "c-train", "--update", "60B", "--out", str(out)]

    def written(*more: str) -> str:
        assert main([*given, *more]) == 0
        return (out / "pot_train.c").read_text()

    def expected(name: str, rows: tuple[np.ndarray, np.ndarray] | None) -> str:
        live = select(tree.nodes, 60, name, None if rows is None else lesson_of(tree, *rows))
        return export_training(tree, "pot", live)["pot_train.c"]

    assert written() == expected(WITH_ROWS, (X, y))
    assert written("--select", "gradient") == expected("gradient", (X, y))
    assert written("--select", "output") == expected("output", None)
    table(tmp_path / "new.csv", rows=30)
    lines = (line.split(",") for line in (tmp_path / "new.csv").read_text().splitlines()[1:])
    cells = [(float(a), float(b), label) for a, b, label in lines]
    new = np.array([[a, b] for a, b, _ in cells]), np.array([label for *_, label in cells], dtype=object)
    assert written("--select", "gradient", "--rows", str(tmp_path / "new.csv")) == expected("gradient", new)
    capsys.readouterr()
    assert main([*given[:4], "--rows", str(tmp_path / "new.csv"), "--out", str(out)]) == 2
    assert "add --update" in capsys.readouterr().err
    assert main([*given, "--target", "species"]) == 2
    assert "add --rows" in capsys.readouterr().err
    (run.parent / "birds.csv").rename(tmp_path / "moved.csv")
    try:
        assert written() == expected("output", None)
        assert "nodes are chosen by 'output': the training rows of the run cannot be read" in capsys.readouterr().err
        assert main([*given, "--select", "gradient"]) == 2
        assert main([*given, "--rows", str(tmp_path / "none.csv")]) == 2
    finally:
        (tmp_path / "moved.csv").rename(run.parent / "birds.csv")


def test_hardware_says_that_it_knows_no_early_exit(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = []
    settings = {"--device": ["cortex-m4f"], "--precision": ["int8"], "--style": ["straight"]}
    monkeypatch.setattr("search.cli.chosen.code_settings", lambda folder, member: settings)
    for early in (False, True):
        monkeypatch.setattr("search.cli.chosen.exits_early", lambda folder, early=early: early)
        assert main(["hardware", str(run)]) == 0
        said.append("exits early and has its costs in front.csv" in capsys.readouterr().err)
    assert said == [False, True]


def test_export_writes_a_cascade_of_two_models(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    front = load_front(run)
    out = tmp_path / "two"
    given = ["export", str(run), "--to", "c", "--out", str(out)]
    assert main([*given, "--cascade", f"{len(front) - 1},0", "--max-loss", "0.5"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert "answers for rows that the models were not fitted to: the large model is asked for 0.0%" in said[-3]
    assert "the large model is asked for 0.0%" in said[-2]
    ran = subprocess.run(said[-1].removeprefix("to check both models: "), shell=True, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout.count("32 of 32 vectors are right")) == (0, 2), ran.stderr
    assert {path.name for path in out.glob("*.c")} == {"two.c", "two_small.c", "two_large.c"}
    weights = [min(front[0].weights, front[-1].weights), max(front[0].weights, front[-1].weights)]
    for part, count in zip(("small", "large"), weights, strict=True):
        assert f"{count:.0f} weights" in (out / f"two_{part}.h").read_text()
    for more, why in (
        (["--cascade", "0"], "as 0,7 for 000.json and 007.json"),
        (["--cascade", "0,0"], "two different numbers from 0 to"),
        (["--cascade", f"0,{len(front)}"], "two different numbers from 0 to"),
        (["--max-loss", "0.1"], "--max-loss is an option of --cascade"),
        (["--cascade", "0,1", "--constants"], "does not go with --constants"),
        (["--cascade", "0,1", "--precision", "float32"], "C in int8, straight style"),
        (["--cascade", "0,1", "--input", "length=int16"], "inputs of one type"),
        (["--cascade", "0,1", "--max-loss", "2"], "max_loss=2.0"),
    ):
        assert main([*given, *more]) == 2
        assert why in capsys.readouterr().err


def test_what_a_cascade_saves_is_said_in_the_numbers_of_its_code(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    front = load_front(run)
    given = ["export", str(run), "--to", "c", "--out", str(tmp_path / "two"), "--cascade", f"{len(front) - 1},0"]
    shares = []
    for inputs in ("float32", "int16/100", "int16", "default=int16"):  # the last is how a run's own type is written
        assert main([*given, "--input", inputs]) == 0
        said = capsys.readouterr().out
        shares += [float(share) for share in re.findall(r"large model alone: (0\.\d+|1\.0+)", said)]
    assert shares == pytest.approx([shares[0]] * 4, abs=0.05)
    assert shares[0] > 0.6


def test_a_cascade_of_models_that_stop_early(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    front = load_front(run)
    given = ["export", str(run), "--to", "c", "--cascade", f"{len(front) - 1},0"]
    means = []
    for name, more in (("plain", []), ("early", ["--early-exit"])):
        assert main([*given, *more, "--out", str(tmp_path / name)]) == 0
        said = capsys.readouterr().out
        found = re.search(r"large model is asked for .*: ([\d.]+) MACs on average, at most (\d+)", said)
        assert found
        means.append((float(found[1]), int(found[2])))
    assert means[1][0] <= means[0][0] < means[0][1] == means[1][1]
    assert "nt_decide" in (tmp_path / "early" / "early_large.c").read_text()


def test_a_run_without_held_out_answers_chooses_on_training_rows(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    front = load_front(run)
    given = ["export", str(run), "--to", "c", "--cascade", f"{len(front) - 1},0", "--out", str(tmp_path / "two")]
    assert main(given) == 0
    assert "chosen on 72 answers for rows that the models were not fitted to" in (tmp_path / "two/two.h").read_text()
    (run / "held_out.npz").rename(tmp_path / "held_out.npz")
    assert main(given) == 0
    (run / "held_out.npz").write_bytes(b"PK no archive")
    assert main(given) == 2
    assert "is damaged; move it away, and training rows decide in its place" in capsys.readouterr().err
    (tmp_path / "held_out.npz").rename(run / "held_out.npz")
    assert "chosen on 72 training rows, on which the large model looks better" in (tmp_path / "two/two.h").read_text()


def test_split_writes_two_halves(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    front = load_front(run)
    both = next(member for member in front if {"length", "depth"} == {c.name for c in member.tree().columns_read})
    out = tmp_path / "halves"
    given = ["split", str(both.path), "--at", "features", "--out", str(out)]
    assert main([*given, "--cut", "len*"]) == 0
    said = capsys.readouterr().out
    assert "the node sends 1 bytes a prediction (1 " in said
    assert "its 1 inputs would be 1 bytes in int8, 4 as they are" in said
    assert "BLE, 1 Mbit/s: about 0.5 µJ a message instead of 2 µJ for the inputs as they are, 8 ms (" in said
    ran = subprocess.run(
        said.splitlines()[-1].removeprefix("to check it: "), shell=True, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stdout) == (0, "32 of 32 vectors are right\n"), ran.stderr
    assert {path.name for path in out.glob("*.c")} == {"halves.c", "halves_node.c", "halves_gateway.c"}
    assert "HALVES_NODE_FEATURE_LENGTH = 0" in (out / "halves_node.h").read_text()
    assert main([*given, "--cut", "len*", "--input", "int16/100"]) == 0
    assert "its 1 inputs would be 1 bytes in int8, 2 as they are" in capsys.readouterr().out
    assert "halves_node_send(const int16_t *x, uint8_t *message)" in (out / "halves_node.h").read_text()
    for more, why in (
        (["--cut", "wing*"], "matches no input; the model has: length, depth"),
        (["--cut", "*"], "split"),
        (["--cut", "len*", "--input", "wing=uint8"], "no column 'wing'"),
    ):
        assert main([*given, *more]) == 2
        assert why in capsys.readouterr().err


@pytest.mark.parametrize("probabilities", [False, True])
def test_predict_answers_every_row(run: Path, tmp_path: Path, probabilities: bool) -> None:
    rows = table(tmp_path / "new.csv", rows=30)
    tree = load_front(run).recommended().tree()
    given = ["--probabilities"] * probabilities
    assert main(["predict", str(run), str(rows), "--out", str(tmp_path / "answers.csv"), *given]) == 0
    with (tmp_path / "answers.csv").open() as file:
        answers = list(csv.DictReader(file))
    X = np.loadtxt(rows, delimiter=",", skiprows=1, usecols=(0, 1))
    assert [row["prediction"] for row in answers] == tree.predict(X).tolist()
    if probabilities:
        found = [[float(row[f"probability of {label}"]) for label in LABELS] for row in answers]
        np.testing.assert_array_equal(found, tree.predict_proba(X))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["fits"], "'fits' is no command; allowed: inspect, fit, show"),
        (["fit", "none.csv"], "none.csv: no such file"),
        (["fit", "none.csv", "--flash", "4k"], "--flash: a limit of a device's costs; add --device"),
        (["fit", "none.csv", "--device", "x", "--ram", "lots"], "--ram lots: not an amount; write a number above 0"),
        (["show", "nowhere"], "nowhere holds no front.csv"),
        (["predict", "nowhere", "new.csv"], "nowhere: No such file or directory"),
        (["predict", "nowhere", "new.npz"], "new.npz: predict reads text, such as CSV, and not .npz"),
        (["predict", "nowhere", "new.Feather"], "predict reads text, such as CSV, and not .feather"),
        (["export", "nowhere", "--to", "c"], "nowhere: No such file or directory"),
    ],
)
def test_bad_input_is_one_line(
    given: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(given) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert end.value.code == 0
    shown = capsys.readouterr().out
    assert "usage:" in shown
    assert name != "export" or ("usage: neuraltree export" in shown and "a run folder" in shown)


def test_the_installed_command_lists_the_others() -> None:
    done = subprocess.run(["neuraltree"], capture_output=True, text=True, check=True)
    assert all(f"\n  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", [name for name, row in COMMANDS.items() if isinstance(row, Own)])
def test_help_imports_no_numpy(name: str) -> None:
    program = "import sys; from search.cli.neuraltree_command import main\n"
    program += f"try: main(['{name}', '--help'])\nfinally: sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("option", "text", "amount"),
    [
        ("flash", "4k", 4096),
        ("flash", "4KiB", 4096),
        ("flash", "1.5M", 1.5 * 2**20),
        ("ram", "300", 300),
        ("ram", "300B", 300),
        ("latency", "2ms", 2e-3),
        ("latency", "200us", 2e-4),
        ("energy", "5uJ", 5e-6),
        ("weights", "60", 60),
    ],
)
def test_amounts_have_units(option: str, text: str, amount: float) -> None:
    assert amount_of(option, text) == pytest.approx(amount, rel=1e-15)


@pytest.mark.parametrize("option", BUDGETS)
def test_an_example_is_an_amount_and_others_are_refused(option: str) -> None:
    assert amount_of(option, BUDGETS[option].example) > 0
    for text in ("", "0", "-1", "4x", "nan", "inf", "k", "1e999", "512i", "5_12", "１２８", "1.2.3"):
        with pytest.raises(ValueError, match=f"--{option} {text}: not an amount"):
            amount_of(option, text)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on a table with a category, missing cells and numbers."""
    folder = tmp_path_factory.mktemp("mixed")
    rows = [f"{i % 7 or ''},{'ab'[i % 2]},{(i % 7) + 3 * (i % 2)}" for i in range(70)]
    (folder / "t.csv").write_text("\n".join(["size,kind,y", *rows]) + "\n")
    options = ["--generations", "2", "--set", "search.population=20", "--quiet", "--out", str(folder / "run")]
    assert main(["fit", str(folder / "t.csv"), *options]) == 0
    return folder / "run"


def answers(run: Path, content: str, folder: Path, *options: str) -> list[dict[str, str]]:
    (folder / "new.csv").write_text(content)
    assert main(["predict", str(run), str(folder / "new.csv"), "--out", str(folder / "out.csv"), *options]) == 0
    with (folder / "out.csv").open() as file:
        return list(csv.DictReader(file))


def test_intervals_and_doubts(mixed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = load_front(mixed).recommended().tree()
    assert tree.band is not None
    found = answers(mixed, "kind,size\na,3\nb,99\nc,1\nb,many\nb,\n", tmp_path, "--intervals", "--check")
    wanted = tree.predict_interval({"size": [3, None], "kind": ["a", "b"]}).tolist()
    assert [[float(found[i]["low"]), float(found[i]["high"])] for i in (0, 4)] == wanted
    assert [row["doubt"] for row in found] == [
        "",
        "size is 99.0; seen: 1 to 6",
        "kind is c; seen: a, b",
        "size is many; seen: 1 to 6",
        "",
    ]
    assert [row["prediction"] == "" for row in found] == [False, True, True, True, False]
    assert capsys.readouterr().err == ""
    found = answers(mixed, "kind,size\na,3\nb,many\n", tmp_path)
    assert float(found[1]["prediction"]) == tree.predict({"size": [None], "kind": ["b"]})[0]
    assert "new.csv: 1 cells are no numbers, the first in column 'size', line 3; they count" in capsys.readouterr().err


def test_a_file_is_replaced_at_the_end_or_not_at_all(
    mixed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, out = tmp_path / "new.csv", tmp_path / "out.csv"
    out.write_text("older answers")
    rows.write_text("kind,size\n" + "a,3\n" * 9000 + "a,inf\n")  # wrong in the second chunk
    assert main(["predict", str(mixed), str(rows), "--out", str(out)]) == 2
    assert "new.csv: column 'size', line 9002: the cell is infinite" in capsys.readouterr().err
    assert main(["predict", str(mixed), str(rows), "--out", str(rows)]) == 2
    assert "new.csv is the file of rows; name another one" in capsys.readouterr().err
    assert out.read_text() == "older answers"
    assert {path.name for path in tmp_path.iterdir()} == {"new.csv", "out.csv"}


def test_a_model_of_numbers_says_what_it_cannot_check(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rows.csv").write_text("length,depth\n41,x\n")
    assert main(["predict", str(run), str(tmp_path / "rows.csv"), "--check"]) == 0
    out, said = capsys.readouterr()
    assert "the model knows no ranges" in said
    assert "depth is x; seen: numbers" in out or "depth" not in {
        c.name for c in load_front(run).recommended().tree().columns_read
    }


def test_rules_choose_from_fronts_only(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = load_front(run).recommended().path
    assert main(["predict", str(model), "rows.csv", "--rule", "knee"]) == 2
    assert "is one model, and --rule and budgets choose from a front" in capsys.readouterr().err


def test_inspect_prints_a_config_that_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = table(tmp_path / "birds.csv")
    assert main(["inspect", str(rows), "--target", "species"]) == 0
    out, said = capsys.readouterr()
    assert "adelie (30)" in said
    (tmp_path / "birds.toml").write_text(out)
    assert main(["run", str(tmp_path / "birds.toml"), "--dry-run"]) == 0
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n" * 3)
    assert main(["inspect", str(tmp_path / "bad.csv")]) == 2
    assert "error: " in capsys.readouterr().err
