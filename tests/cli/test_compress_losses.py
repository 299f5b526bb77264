"""``neuraltree compress`` keeps what a run was about: its loss, thresholds, and weights of classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from search.cli.neuraltree_command import main
from search.config.config import load_config
from search.front import Front, load_front
from search.table.loading import load_table


def _rows(path: Path, rows: int = 240) -> Path:
    """Two inputs, a number ``u`` with much noise, and ``y``, of which one row in five is 1."""
    rng = np.random.default_rng(1)
    a, b, noise = rng.normal(size=(3, rows))
    u = a + b * b + 2 * noise
    y = np.where(a + noise > 1.2, "yes", "no")
    lines = [f"{a[i]:.4f},{b[i]:.4f},{u[i]:.4f},{y[i]}" for i in range(rows)]
    path.write_text("\n".join(["a,b,u,y", *lines]) + "\n")
    return path


def _cut(folder: Path, *options: str) -> tuple[Front, Path]:
    """The front cut out of a short run with these options."""
    table = _rows(folder / "rows.csv")
    run, small = folder / "run", folder / "small"
    begun = ["--generations", "4", "--set", "search.population=20", "--quiet", "--out", str(run)]
    assert main(["fit", str(table), *begun, *options]) == 0
    assert main(["compress", str(run), "--prune", ".3", ".6", "--epochs", "12", "--out", str(small)]) == 0
    return load_front(small), small


def test_a_quantile_stays_a_quantile(tmp_path: Path) -> None:
    front, folder = _cut(tmp_path, "--target", "u", "--drop", "y", "--set", "task.loss=pinball_0.9")
    table = load_table(load_config(folder / "config.toml"))
    for member in front:
        assert 0.7 < np.mean(member.tree().predict(table.X) >= table.y) < 0.97  # squares: about half
        assert member.tree().band == member.values["band"]


def test_thresholds_are_chosen_anew(tmp_path: Path) -> None:
    options = ["--target", "y", "--drop", "u", "--set", "search.threshold=tuned", "--metric", "f1"]
    front, _ = _cut(tmp_path, *options)
    for member in front:
        assert member.tree().threshold == member.values["threshold"] != 0.5
        assert member.tree().band == member.values["band"]


def test_classes_keep_their_weights(tmp_path: Path) -> None:
    options = ["--target", "y", "--drop", "u", "--set", "task.class_weight=balanced"]
    front, folder = _cut(tmp_path, *options)
    table = load_table(load_config(folder / "config.toml"))
    for member in front:
        found = member.tree().predict(table.X) == "yes"
        assert found[table.y == 1].mean() == pytest.approx(1 - found[table.y == 0].mean(), abs=0.25)
