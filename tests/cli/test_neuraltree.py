"""The command ``neuraltree``: from a table to a model, its front, answers and code."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

import neuraltree
from search.cli.neuraltree_command import COMMANDS, main
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
    assert "usage:" in capsys.readouterr().out


def test_the_installed_command_lists_the_others() -> None:
    done = subprocess.run(["neuraltree"], capture_output=True, text=True, check=True)
    assert all(f"\n  {name} " in done.stdout for name in COMMANDS)


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
    for text in ("", "0", "-1", "4x", "nan", "inf", "k", "1e999"):
        with pytest.raises(ValueError, match=f"--{option} {text}: not an amount"):
            amount_of(option, text)
