"""Model cards: what they say is what the files of the run folder say, read here by other means."""

from __future__ import annotations

import csv
import json
import os
import shlex
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuraltree.inputs.encoders import Category, Number
from neuraltree.inputs.encoding import feature_names
from neuraltree.tree.model_files import load, save
from neuraltree.tree.tree import Tree
from search import load_front
from search.card import card_of, card_text, write_card
from search.errors import InputError
from search.run import main
from tests.helpers.report_runs import HOSTILE, HOSTILE_CLASSES, tree_of, write_baselines, write_run

RUNS = {
    "friedman1": 'search.objectives = ["rmse", "weights", "latency_s"]\nhardware.device = "cortex-m4f"\n',
    "iris": 'search.objectives = ["log_loss", "weights", "class_errors"]\nsearch.folds = 1\n',
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Finished runs by the name of their table."""
    folder = tmp_path_factory.mktemp("runs")

    def run(source: str) -> Path:
        out = folder / source
        if not out.exists():
            (folder / f"{source}.toml").write_text(
                f'data.source = "{source}"\nrun.seed = 2\nspace.max_nodes = 20\nsearch.population = 12\n'
                f"search.generations = 3\ntrain.epochs = 3\nconstraints.weights = 50\n{RUNS[source]}"
            )
            with pytest.MonkeyPatch.context() as patch:
                patch.setitem(os.environ, "JAX_COMPILATION_CACHE_DIR", "")
                assert main([str(folder / f"{source}.toml"), "--out", str(out), "--quiet"]) == 0
        return out

    return run


@pytest.fixture(params=RUNS)
def finished(request: pytest.FixtureRequest, made: Callable[[str], Path]) -> Path:
    return made(request.param)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def manifest_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_text())


def change_manifest(folder: Path, **changes: Any) -> None:
    """``None`` takes a key away."""
    known = manifest_of(folder) | changes
    (folder / "manifest.json").write_text(json.dumps({k: v for k, v in known.items() if v is not None}))


def table_after(text: str, heading: str) -> list[list[str]]:
    """The cells of the table below a heading of a card, without its header."""
    lines = text.split(f"\n## {heading}\n")[1].split("\n## ")[0].splitlines()
    return [line.strip("| ").split(" | ") for line in lines if line.startswith("|")][2:]


# Against the files of a run.


def test_a_finished_run_has_the_card_of_its_recommended_member(finished: Path) -> None:
    card = card_of(finished)
    assert json.loads((finished / "card.json").read_text()) == card
    assert (finished / "card.md").read_text() == card_text(card)
    recommended = load_front(finished).recommended()
    assert card["model"]["file"] == card["model"]["recommended_file"] == f"models/{recommended.name}"
    assert card["model"]["is_recommended"]


def test_the_figures_of_a_card_are_those_of_the_front(finished: Path) -> None:
    for row, member in zip(rows_of(finished / "front.csv"), load_front(finished), strict=True):
        card = card_of(finished, member)
        assert card["model"]["file"] == row["model"]
        assert [str(card["model"][name]) for name in ("weights", "nodes", "depth")] == [
            row[name] for name in ("weights", "nodes", "depth")
        ]
        errors = {error["name"]: error for error in card["errors"]["rows"]}
        further = [name for name in row if name.startswith("error_class_")]
        assert [*errors] == ["honest_error", "val_error", "test_error", "test_score", *further]
        assert {name: repr(error["value"]) for name, error in errors.items()} == {name: row[name] for name in errors}
        assert repr(errors["honest_error"]["standard_error"]) == row["honest_error_se"]
        chose = {name for name, error in errors.items() if error["chose"]}
        assert chose == {"honest_error", "val_error", *further}
        assert all(("it chose nothing" in error["use"]) != error["chose"] for error in errors.values())


def test_the_metric_is_that_of_the_run(made: Callable[[str], Path]) -> None:
    assert card_of(made("iris"))["errors"]["metric"] == "log_loss"
    regression = card_of(made("friedman1"))
    assert regression["errors"]["metric"] == "rmse"
    assert regression["errors"]["rows"][0]["label"] == "honest error (RMSE)"
    assert "`rmse` (unit: the target's)" in card_text(regression)


def test_a_card_says_what_the_manifest_says(finished: Path) -> None:
    card, manifest = card_of(finished), manifest_of(finished)
    data, made = card["data"], card["reproduce"]
    assert (data["source"], data["target"], data["digest"]) == (finished.name, "target", manifest["data_hash"])
    assert data["split"] == manifest["split"] == "drawn at random"
    assert (data["train_rows"], data["test_rows"]) == ((960, 240) if finished.name == "friedman1" else (120, 30))
    for name in ("seed", "config_hash", "engine", "versions", "machine", "evaluations", "generations"):
        assert made[name] == manifest[name]
    assert made.get("git_commit") == manifest["git_commit"]
    assert made["command"] == "python -m search.run config.toml --seed 2 --out again"


def test_the_rows_of_classes_are_counted(made: Callable[[str], Path]) -> None:
    iris = card_of(made("iris"))
    assert iris["model"]["classes"] == ["setosa", "versicolor", "virginica"]
    assert iris["data"]["class_rows"] == {"train": [40] * 3, "test": [10] * 3}
    assert "setosa: 40 to train, 10 to test; versicolor: 40" in card_text(iris)
    assert "class_rows" not in card_of(made("friedman1"))["data"]


def test_the_inputs_are_those_that_the_model_reads(finished: Path) -> None:
    for member in load_front(finished):
        model, tree = card_of(finished, member)["model"], member.tree()
        X = np.random.default_rng(0).normal(size=(2, 1, len(tree.features)))
        read = []
        for i, name in enumerate(tree.features):
            changed = X[0].repeat(2, axis=0)
            changed[1, i] += 1e3
            if np.ptp(tree.outputs(changed), axis=0).any():
                read.append(name)
        assert set(read) <= set(model["inputs"])  # a saturated node hides an input from this test
        assert model["features"] == len(tree.features)
        assert sum(model["activations"].values()) == int((tree.nodes["op"] < 0).sum())


def test_baselines_are_compared_as_in_their_file(finished: Path) -> None:
    card, rows = card_of(finished), rows_of(finished / "baselines.csv")
    assert [row["name"] for row in card["baselines"]] == [row["name"] for row in rows] == ["linear", "cart"]
    for shown, row in zip(card["baselines"], rows, strict=True):
        names = ("honest_error", "honest_error_se", "honest_difference", "honest_difference_se", "val_error")
        assert [repr(shown[name]) for name in names] == [row[name] for name in names]
        more, spread = float(row["honest_difference"]), float(row["honest_difference_se"])
        word = "about as good as" if abs(more) <= spread else "better than" if more < 0 else "worse than"
        assert shown["verdict"] == f"{word} the recommended model"
    assert card["verdict"][0] == load_front(finished).summary().splitlines()[0]
    assert [cells[0] for cells in table_after(card_text(card), "Against ordinary models")] == ["linear model", "CART"]


def test_costs_have_units_and_both_kinds_of_figures(made: Callable[[str], Path]) -> None:
    folder = made("friedman1")
    member = load_front(folder)[0]
    costs = card_of(folder, member)["costs"]
    row = rows_of(folder / "front.csv")[0]
    assert (costs["device"], costs["number_format"]) == ("cortex-m4f", "float32")
    assert costs["constraints"] == {"weights": 50.0}
    units = {"latency_s": "s", "flash_bytes": "B", "ram_bytes": "B", "energy_j": "J", "worst_latency_s": "s"}
    assert {cost["name"]: cost["unit"] for cost in costs["rows"]} == units
    for cost in costs["rows"]:
        assert repr(cost["predicted"]) == row[cost["name"]]
        measured = row.get(f"measured_{cost['name']}", "")
        assert cost.get("measured") == (float(measured) if measured else None)
    shown = table_after(card_text(card_of(folder, member)), "Costs")
    assert shown[1][1] == f"{float(row['flash_bytes']):.0f} B"
    amount, unit = shown[0][1].split()
    scale = {"s": 1, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}[unit]
    assert float(amount) * scale == pytest.approx(float(row["latency_s"]), rel=1e-3)


def test_a_run_without_a_device_has_no_costs(made: Callable[[str], Path]) -> None:
    card = card_of(made("iris"))
    assert card["costs"] == {"number_format": "float32", "constraints": {"weights": 50.0}, "rows": []}
    assert "- device: none" in card_text(card)


def test_limits_are_told_if_they_are_there(made: Callable[[str], Path]) -> None:
    few, many = ("\n".join(card_of(made(name))["limits"]) for name in ("iris", "friedman1"))
    for text in ("only 30 test rows", "one row is 3.3% of the accuracy", "compared models on one hold-out"):
        assert text in few
        assert text not in many
    for text in ("another split", "without a warning", "no rule for missing inputs", "where the data change"):
        assert text in few
        assert text in many


def test_the_card_of_a_run_that_goes_on_is_that_of_its_new_front(made: Callable[[str], Path], tmp_path: Path) -> None:
    folder = tmp_path / "iris"
    shutil.copytree(made("iris"), folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("search.runs.loop.evolve", lambda *_: 0)
        assert main([str(folder), "--resume", "--generations", "4", "--quiet"]) == 0
    assert not list(folder.glob("card.*"))
    assert main([str(folder), "--resume", "--quiet"]) == 0
    assert json.loads((folder / "card.json").read_text()) == card_of(folder)
    assert card_of(folder)["reproduce"]["generations"] == 4


# Folders written by hand.


def test_an_older_run_leaves_out_what_its_folder_does_not_say(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    write_baselines(folder, [("linear", 0.2, 9)])
    card = card_of(folder)
    assert card["data"] == {"source": "t.csv", "digest": manifest_of(folder)["data_hash"]}
    assert "verdict" not in card["baselines"][0]
    assert card["baselines"][0] == {"name": "m", "label": "linear", "weights": 9, "val_error": 0.2}
    assert "it also chose the recommended model" in card["errors"]["rows"][0]["use"]
    assert any("There is no honest error" in line for line in card["limits"])
    assert not any("test rows, so the test results are rough" in line for line in card["limits"])
    assert json.loads(json.dumps(card, allow_nan=False)) == card
    assert "split" not in card_text(card).split("## Errors")[0]


def test_a_card_names_no_place_of_a_machine(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", table="my data.csv")
    card = card_of(folder)
    assert str(tmp_path) not in card_text(card) + json.dumps(card)
    words = shlex.split(card["reproduce"]["command"])
    assert words[words.index("--set") + 1 :][::2][0] in ("search.rows=all", "data.source=./my data.csv")
    assert "data.source=./my data.csv" in words


def test_a_search_that_its_time_ended_is_made_again_by_its_generations(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", config='[search]\ntime = "5s"\n')
    change_manifest(folder, generations=7)
    assert "--seed 0 --generations 7 " in card_of(folder)["reproduce"]["command"]


@pytest.mark.parametrize(
    ("counts", "named"), [([[9, 30], [20, 20]], "no (9 to train, 20 to test)"), ([[30, 30], [20, 20]], "")]
)
def test_classes_of_few_rows_are_named(tmp_path: Path, counts: Sequence[Sequence[int]], named: str) -> None:
    folder = write_run(tmp_path / "run")
    change_manifest(folder, class_rows=dict(zip(("train", "test"), counts, strict=True)))
    told = [line for line in card_of(folder)["limits"] if "few rows" in line]
    assert [line.partition(": ")[2] for line in told] == [f"{named}."] * bool(named)


@pytest.mark.parametrize(("loss", "told"), [(0.3, True), (0.01, False), (None, False)])
def test_a_loss_in_8_bits_is_a_limit(tmp_path: Path, loss: float | None, told: bool) -> None:
    folder = write_run(tmp_path / "run")
    path = folder / card_of(folder)["model"]["file"]
    known = json.loads(path.read_text())
    path.write_text(json.dumps(known | {"int8_loss": loss} if loss is not None else known))
    assert load(path).int8_loss == loss
    assert any(line.startswith("8-bit code loses 30 %") for line in card_of(folder)["limits"]) == told


def test_splits_by_group_are_not_called_random(tmp_path: Path) -> None:
    together = [line for line in card_of(write_run(tmp_path / "run"))["limits"] if "split at random" in line]
    assert together
    grouped = write_run(tmp_path / "grouped", features=("x0", "x1"))
    text = (grouped / "config.toml").read_text().replace("[data]\n", '[data]\ngroup = "x0"\n')
    (grouped / "config.toml").write_text(text)
    assert not set(together) & set(card_of(grouped)["limits"])


def test_columns_come_with_their_encoders(tmp_path: Path) -> None:
    """The tree reads a level and a number of a column that is filled, and not the number that is not."""
    columns = (Number("mass"), Category("colour", ("red", "<b>blue</b>", "green")), Number("age", 3.0))
    names = feature_names(columns)
    plain = tree_of(3, ("colour=green", "age"), ("no", "yes"))
    nodes = plain.nodes.copy()
    for place, feature in enumerate(("colour=green", "age")):
        nodes["op"][plain.nodes["op"] == place] = names.index(feature)
    folder = write_run(tmp_path / "run")
    save(Tree(nodes, "binary", names, ("no", "yes"), columns=columns), folder / card_of(folder)["model"]["file"])
    card = card_of(folder)
    assert card["model"]["inputs"] == ["colour=green", "age"]
    assert [(column["name"], column["encoder"]) for column in card["model"]["columns"]] == [
        ("colour", "category"),
        ("age", "number"),
    ]
    text = card_text(card)
    assert "colour (category: red, &lt;b&gt;blue&lt;/b&gt;, green), age (number)" in text
    assert "Missing cells are refused in: mass." in text
    assert "Missing cells get an answer without a warning in: colour, age." in text
    assert "Levels that were not in the training rows count as none of the known ones in: colour." in text


def test_names_are_neither_html_nor_markdown(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", features=HOSTILE, labels=HOSTILE_CLASSES)
    change_manifest(folder, target="*a* | `b`\n# c", notes=["<b>"], class_rows={"train": [30] * 2, "test": [30] * 2})
    write_baselines(folder, [("<i>a|b</i>", 0.2, 9)])
    text = card_text(card_of(folder))
    code = text.split("```bash")[1].split("```")[0]
    assert "<" not in text.replace(code, "")
    assert text.startswith("# Model card: \\*a\\* | \\`b\\` \\# c of t.csv\n")
    assert table_after(text, "Against ordinary models")[0][0] == "&lt;i&gt;a\\|b&lt;/i&gt;"
    assert card_of(folder)["model"]["classes"] == list(HOSTILE_CLASSES)


def test_figures_that_are_not_finite_are_none(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", device="cortex-m4f")
    front = (folder / "front.csv").read_text().replace("0.3,0.7", "inf,nan")
    (folder / "front.csv").write_text(front)
    card = card_of(folder)
    assert {row["name"]: row["value"] for row in card["errors"]["rows"]} == {
        **{"val_error": 0.125, "test_error": None, "test_score": None},
    }
    json.dumps(card, allow_nan=False)
    assert table_after(card_text(card), "Errors")[1][1] == ""


# Refusals, and cards beside exports.


def test_a_member_of_another_front_is_refused(tmp_path: Path) -> None:
    one, other = write_run(tmp_path / "one"), write_run(tmp_path / "other", members=3)
    with pytest.raises(InputError, match=r"has no model 001\.json of these values; choose one of load_front"):
        card_of(one, load_front(other)[1])


def test_a_folder_without_models_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the front in .* is empty, so there is no model to describe"):
        card_of(write_run(tmp_path / "empty", members=0))
    with pytest.raises(InputError, match="is not complete"):
        card_of(write_run(tmp_path / "running", final=False))
    with pytest.raises(InputError, match=r"holds no front\.csv"):
        card_of(tmp_path)


def test_a_damaged_manifest_is_refused(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    change_manifest(folder, class_rows={"train": "a"})
    with pytest.raises(InputError, match="is damaged: class_rows is"):
        card_of(folder)


def test_a_card_stands_beside_an_export(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    member = load_front(folder)[2]
    text, data = write_card(folder, member, tmp_path / "c" / "motor", "motor")
    assert [path.name for path in (text, data)] == ["motor_card.md", "motor_card.json"]
    assert json.loads(data.read_text()) == card_of(folder, member)
    assert text.read_text() == card_text(card_of(folder, member))
    assert "- file: `models/002.json`, not the recommended one of its run, `models/000.json`\n" in text.read_text()
    assert sorted(path.name for path in text.parent.iterdir()) == ["motor_card.json", "motor_card.md"]
    assert write_card(folder, None, text.parent, "motor") == (text, data)
    assert json.loads(data.read_text())["model"]["is_recommended"]


def test_a_run_whose_front_is_empty_has_no_card(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(
        'data.source = "iris"\nsearch = { population = 6, generations = 0, folds = 2 }\ntrain.epochs = 1\n'
        "constraints.error = 1e-9\n"
    )
    assert main([str(tmp_path / "c.toml"), "--out", str(tmp_path / "out"), "--quiet"]) == 0
    assert manifest_of(tmp_path / "out")["status"] == "complete"
    assert not list((tmp_path / "out").glob("card.*"))
