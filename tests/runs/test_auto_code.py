"""Runs that choose the code of each member: what the front says is what its models cost and how they are exported."""

from __future__ import annotations

import csv
import itertools
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_wine

import search.judge.finish
import search.judge.honest
from neuraltree import NeuralTreeClassifier, hardware, load
from neuraltree.export.c.library import export_c
from search import Evolution, load_front
from search.card import card_of
from search.cli.neuraltree_command import main as neuraltree
from search.config.config import config_hash, load_config
from search.errors import InputError
from search.report.facts.read import read_run
from search.report.facts.run_facts import run_page
from search.run import main

CONFIG = """
[data]
source = "wine"
[run]
seed = 1
[search]
population = 24
generations = 4
folds = 2
objectives = ["log_loss", "latency_s", "flash_bytes"]
[train]
epochs = 4
[hardware]
device = "cortex-m0plus"
precision = "auto"
style = "auto"
[baselines]
models = []
"""
TEXTS = ("status", "model", "precision", "style")


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    """Every second model, the first one too, loses too much in integers; nothing is measured."""
    loss = itertools.cycle([0.5, 0.0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search.judge.finish, "int8_loss", lambda *_: next(loss))
        patch.setattr(search.judge.finish, "measure_front", lambda *_: {})
        patch.setattr(search.judge.honest, "REPEATS", 1)
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("auto")
    (folder / "c.toml").write_text(CONFIG)
    assert main([str(folder / "c.toml"), "--out", str(folder / "run")]) == 0
    return folder / "run"


def rows_of(run: Path) -> list[dict[str, Any]]:
    with (run / "front.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [{k: v if k in TEXTS else float(v) for k, v in row.items() if v} for row in rows]


def test_each_member_has_its_own_code_and_its_costs(run: Path) -> None:
    rows, device = rows_of(run), hardware.load_device("cortex-m0plus")
    for row in rows:
        tree = load(run / row["model"])
        assert row["precision"] == ("int8" if tree.int8_loss == 0 else "float32")
        nodes, starts, about = hardware.laid_out([tree])
        found = hardware.costs(nodes, starts, device, row["precision"], row["style"], "clang", **about)
        assert {name: row[name] for name in found} == {name: values[0] for name, values in found.items()}
        assert ("int8_test_score" in row) == (row["precision"] == "int8")
    assert {row["precision"] for row in rows} == {"int8", "float32"}
    members = [(member.precision, member.style) for member in load_front(run)]
    assert members == [(row["precision"], row["style"]) for row in rows]


def test_a_resumed_run_chooses_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c.toml").write_text(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search.judge.finish, "int8_loss", lambda *_: 0.004)
        for name, first in (("whole", 4), ("parts", 2)):
            assert main([str(tmp_path / "c.toml"), "--out", str(tmp_path / name), "--generations", str(first)]) == 0
        assert main([str(tmp_path / "parts"), "--resume", "--generations", "4"]) == 0
    whole, parts = ((tmp_path / name / "front.csv").read_bytes() for name in ("whole", "parts"))
    assert whole == parts
    count = len(rows_of(tmp_path / "whole"))
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("code: ")]
    assert said[0] == said[2]
    assert said[0].startswith(f"code: int8 straight for {count} of {count} models (up to ")
    assert said[0].endswith(" times faster than float32, losing at most 0.004 of the score)")


def test_commands_use_the_code_of_the_member(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for i, row in enumerate(rows_of(run)):
        capsys.readouterr()
        out = tmp_path / f"m{i}"
        assert neuraltree(["export", str(run / row["model"]), "--to", "c", "--out", str(out)]) == 0
        assert capsys.readouterr().out.startswith(f"{row['precision']} {row['style']}: ")
        files = export_c(load(run / row["model"]), f"m{i}", precision=row["precision"], style=row["style"])
        assert {name: (out / name).read_text() for name in files} == files
    page = run_page(read_run(run))
    for lines, row in zip(page["lines"], rows_of(run), strict=True):
        assert ("--precision int8" in lines["Export as C"]) == (row["precision"] == "int8")
    totals = np.sum(list(page["terms"]["costs"]["latency_s"].values()), axis=0)
    np.testing.assert_allclose(totals, [row["latency_s"] for row in rows_of(run)], rtol=1e-4)
    for member in load_front(run):
        costs = card_of(run, member)["costs"]
        assert (costs["number_format"], costs["code_style"]) == (member.precision, member.style)
    capsys.readouterr()
    assert neuraltree(["show", str(run)]) == 0
    assert "int8 straight" in capsys.readouterr().out
    assert neuraltree(["hardware", str(run), "--device", "cortex-m0plus"]) == 0
    recommended = load_front(run).recommended()
    assert f"{recommended.precision} {recommended.style} clang" in " ".join(capsys.readouterr().out.split())
    assert neuraltree(["hardware", str(run)]) == 0  # on the device of the run
    assert f"{recommended.precision} {recommended.style} clang" in " ".join(capsys.readouterr().out.split())
    assert neuraltree(["hardware", str(run), "--compiler", "gcc"]) == 0
    assert f"{recommended.precision} {recommended.style} gcc" in " ".join(capsys.readouterr().out.split())
    assert neuraltree(["hardware", str(run / "models"), "--breakdown"]) == 0
    assert "auto auto clang" in " ".join(capsys.readouterr().out.split())


def test_commands_use_the_inputs_and_the_fixed_code_of_the_config(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A copy of the run as if it had searched for one code and integers."""
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    text = (copy / "config.toml").read_text().replace('precision = "auto"', 'precision = "int8"')
    text = text.replace('style = "auto"', 'style = "table"').replace('input = "float32"', 'input = "int16/10"')
    (copy / "config.toml").write_text(text)
    with (copy / "front.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    keep = [i for i, name in enumerate(rows[0]) if name not in ("precision", "style")]
    with (copy / "front.csv").open("w", newline="") as file:
        csv.writer(file).writerows([row[i] for i in keep] for row in rows)
    assert neuraltree(["hardware", str(copy), "--breakdown"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "int8 table clang" in shown
    assert neuraltree(["export", str(copy), "--to", "c", "--out", str(tmp_path / "m")]) == 0
    assert "int m_predict(const int16_t *x);" in (tmp_path / "m" / "m.h").read_text()
    member = load_front(copy).recommended()
    wanted = export_c(member.tree(), "m", precision="int8", style="table", inputs="int16/10")
    assert (tmp_path / "m" / "m.c").read_text() == wanted["m.c"]
    assert neuraltree(["export", str(copy), "--to", "c", "--constants", "--out", str(tmp_path / "k")]) == 2
    assert "and the run has int16/10: add --input float32" in capsys.readouterr().err
    assert neuraltree(["show", str(copy)]) == 0
    assert "latency, µs" in " ".join(capsys.readouterr().out.split())


def test_export_chooses_for_another_device_and_warns(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(next(run / row["model"] for row in rows_of(run) if row["precision"] == "int8"))
    out, printed = ["--to", "c", "--out", str(tmp_path / "x")], capsys.readouterr
    printed()
    auto = ["--precision", "auto", "--style", "auto"]
    assert neuraltree(["export", model, *out, *auto, "--device", "cortex-m4f"]) == 0
    assert printed().out.startswith("float32 straight: ")
    assert neuraltree(["export", model, *out, *auto, "--device", "atmega328p"]) == 0  # no clang: another build counts
    assert " cycles, " in printed().out
    assert neuraltree(["export", model, *out, "--precision", "float32"]) == 0
    assert "float32 straight is dominated on cortex-m0plus: int8 straight is " in printed().err
    assert neuraltree(["export", model, *out, "--style", "table"]) == 0
    wanted = export_c(load(Path(model)), "x", precision="int8", style="table")
    assert (tmp_path / "x" / "x.c").read_text() == wanted["x.c"], "the format that was not given is the member's"
    printed()
    alone = tmp_path / "alone.json"
    alone.write_bytes(Path(model).read_bytes())
    assert neuraltree(["export", str(alone), *out, *auto]) == 2
    assert '"auto" chooses by the costs on a device; add --device' in printed().err
    assert neuraltree(["export", str(alone), *out]) == 0
    assert printed().err == ""


def test_a_given_code_leaves_the_front_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(CONFIG)
    given = ["--set", "hardware.precision=int8", "--set", "hardware.style=straight"]
    assert main([str(tmp_path / "c.toml"), "--out", str(tmp_path / "given"), *given]) == 0
    assert not {"precision", "style"} & rows_of(tmp_path / "given")[0].keys()
    assert {member.precision for member in load_front(tmp_path / "given")} == {""}


def test_a_config_is_refused_without_a_device_and_with_finetuning(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(CONFIG)
    with pytest.raises(
        InputError, match=r'hardware.precision and hardware.style = "auto" chooses by the costs on a dev'
    ):
        load_config(tmp_path / "c.toml", ["hardware.device=", 'search.objectives=["error"]'])
    assert main([str(tmp_path / "c.toml"), "--dry-run", "--set", "hardware.finetune_epochs=3"]) == 2
    stricter = load_config(tmp_path / "c.toml", ["hardware.max_score_loss=0.1"])
    assert config_hash(stricter) != config_hash(load_config(tmp_path / "c.toml"))


def test_an_estimator_s_front_has_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = load_wine(return_X_y=True)
    wanted = Evolution(16, 2, folds=2, objectives=("error", "flash_bytes"), device="cortex-m4f", precision="auto")
    model = NeuralTreeClassifier(wanted, epochs=4, random_state=1).fit(X, y)
    assert {(member.precision, member.style) for member in model.front_} == {("float32", "straight")}
    assert "float32 straight, " in repr(model.front_[0])
    pytest.importorskip("pandas")
    assert set(model.front_.to_pandas()["precision"]) == {"float32"}


def test_a_warning_at_the_start_of_a_search(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c.toml").write_text(CONFIG)
    said = {}
    for precision in ("float32", "int8", "auto"):
        sets = ["--set", f"hardware.precision={precision}", "--set", "hardware.style=straight"]
        assert main([str(tmp_path / "c.toml"), "--dry-run", *sets]) == 0
        said[precision] = capsys.readouterr().out
    assert "float32 straight is dominated on cortex-m0plus: int8 straight is " in said["float32"]
    assert "dominated" not in said["int8"] + said["auto"]
    assert json.dumps("auto") in said["auto"]
