"""``python -m neuraltree.hardware``: its tables hold the costs, and bad input gives one line."""

import numpy as np
import pytest

from neuraltree import Tree, hardware, save
from neuraltree.hardware import __main__ as command
from neuraltree.hardware.__main__ import main
from neuraltree.hardware.predict import Code, model_files, predict
from tests.hardware.test_counts import record

LARGE = [("identity", [("tanh", [i % 3, 0]) for i in range(1500)])]


@pytest.fixture
def models(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    for name, outputs in (("a", [("identity", [0, ("tanh", [1, 2])])]), ("b", [("identity", [2])]), ("c", LARGE)):
        nodes = record(outputs)
        nodes["weight"], nodes["bias"] = np.random.default_rng(0).normal(size=(2, len(nodes), 1))
        save(Tree(nodes, "regression", ("p", "q", "r")), folder / f"{name}.json")
    (folder / "notes.txt").write_text("no model")
    return folder


def test_a_folder_stands_for_its_models(models):
    assert [path.name for path in model_files([models, models / "b.json"])] == ["a.json", "b.json", "c.json", "b.json"]


@pytest.mark.parametrize("code", [Code("float32", "straight", "clang"), Code("int8", "table", "clang")])
def test_predictions_are_the_costs(models, code):
    device = hardware.load_device("cortex-m4f")
    found = predict(models / "a.json", device, code)
    nodes = record([("identity", [0, ("tanh", [1, 2])])])
    nodes["weight"], nodes["bias"] = np.random.default_rng(0).normal(size=(2, len(nodes), 1))
    expected = hardware.costs(nodes, np.array([0, 5]), device, *code)
    assert found.costs == {name: float(values[0]) for name, values in expected.items()}
    assert sum(found.terms["latency_s"].values()) == pytest.approx(found.costs["latency_s"])
    assert (found.weights, found.fits) == (6, None)


def test_the_table_says_what_fits(models, capsys):
    assert main([str(models), "--device", "atmega328p"]) == 0
    printed = capsys.readouterr().out
    rows = {line.split("│")[1].strip(): line.split("│")[-2].strip() for line in printed.splitlines() if ".json" in line}
    assert rows == {"a.json": "yes", "b.json": "yes", "c.json": "does not fit"}


def test_the_breakdown_is_a_table_each(models, capsys):
    assert main([str(models / "a.json"), "--device", "rpi-4", "--breakdown"]) == 0
    assert "computation" in capsys.readouterr().out
    assert main([str(models / "a.json"), "--device", "cortex-m4f", "--breakdown"]) == 0
    printed = capsys.readouterr().out
    assert "tanh" in printed
    assert "sigmoid" not in printed


def test_the_list_has_every_device(capsys):
    assert main(["--list"]) == 0
    printed = capsys.readouterr().out
    for name in hardware.device_names():
        assert f"│ {name} " in printed
    assert "unsupported" in printed


BAD = [
    ([], "name models and a --device, or ask for --list"),
    (["a.json"], "name models and a --device"),
    (["a.json", "--device", "pdp11"], "unknown device 'pdp11'; allowed: apple-ane, atmega328p,"),
    (["a.json", "--device", "none.toml"], "none.toml: No such file"),
    (["a.json", "--device", "coral-edgetpu"], "coral-edgetpu is not supported"),
    (["none.json", "--device", "m4f"], "none.json: No such file"),
    (["notes.txt", "--device", "m4f"], "notes.txt: not JSON"),
    ([".", "empty", "--device", "m4f"], "empty: no model (*.json) in this folder"),
    (["a.json", "--device", "m4f", "--precision", "int5"], "invalid choice: 'int5'"),
    (["a.json", "--device", "m4f", "--frobnicate"], "unrecognized arguments: --frobnicate; see python -m"),
    (["a\nb.json", "--device", "m4f"], r"a\nb.json: No such file"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_input_gives_one_line(models, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(models)
    (models / "empty").mkdir()
    try:
        code = main(arguments)
    except SystemExit as leaving:  # of the parser
        code = leaving.code
    said = capsys.readouterr()
    assert code == 2
    assert message in said.err
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert not said.out


def test_an_interrupt_gives_130(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_list", interrupted)
    assert main(["--list"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_the_table_shows_what_is_known_of_the_worst_and_of_probabilities(models, tmp_path, capsys):
    """Columns appear with the profile's figures; a regression has no probabilities."""
    from neuraltree.hardware.profile.profile_toml import profile_text
    from tests.hardware.test_cost import MINE, entry

    row = entry("float32")
    added = {"binary": {"lo": 100}, "multiclass": {"lo": 40}}
    row |= {"worst_cycles": row["cycles"] | {"const": {"lo": 1_001}}}
    row |= {"probabilities": {"units": "cycle, B", "certainty": "E", "source": "x", "cycles": added, "flash": added}}
    (tmp_path / "mine.toml").write_text(profile_text(MINE | {"entries": [row]}))
    nodes = record([("identity", [0, 1])])
    nodes["weight"] = 1.0
    save(Tree(nodes, "binary", ("p", "q"), classes=("no", "yes")), models / "d.json")
    common = [
        str(models / "b.json"),
        str(models / "d.json"),
        "--device",
        str(tmp_path / "mine.toml"),
        "--compiler",
        "gcc",
    ]
    assert main(common) == 0
    plain = capsys.readouterr().out
    assert "worst µs" in plain
    assert "probabilities" not in plain
    assert main([*common, "--probabilities"]) == 0
    printed = capsys.readouterr().out
    rows = {
        line.split("│")[1].strip(): [cell.strip() for cell in line.split("│")[-4:-2]]
        for line in printed.splitlines()
        if ".json" in line
    }
    assert rows == {"b.json": ["", ""], "d.json": ["50", "100"]}
    latency, worst = (
        predict(
            models / "b.json", hardware.load_device(tmp_path / "mine.toml"), Code("float32", "straight", "gcc")
        ).costs[name]
        for name in ("latency_s", "worst_latency_s")
    )
    assert worst - latency == pytest.approx(1_000 / 2e6)
