"""Answers for held-out rows: by plain recursion with the weights of the fold that held each row out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_wine

import search.judge.honest
from search.config.config import config_of
from search.engine.problem import Setup, set_up
from search.folder.records import RunFolder
from search.judge import answers
from search.judge.answers import held_out_answers, load_answers
from search.run import main
from search.table.data import Table
from tests.helpers.plain_tree import evaluate


def made(kind: str, loss: str, precision: str = "float32") -> Setup:
    X, y = (load_breast_cancer if kind == "binary" else load_wine)(return_X_y=True)
    names = tuple("abc"[: 2 if kind == "binary" else 3])
    table = Table(X, y, tuple(f"x{i}" for i in range(X.shape[1])), "y", names, kind, digest="")
    hardware = {"device": "cortex-m0plus", "precision": precision}
    raw = {"data": {"source": "t"}, "task": {"loss": loss}, "search": {"folds": 3}, "hardware": hardware}
    return set_up(config_of(raw, "test"), table)


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
@pytest.mark.parametrize("loss", ["cross_entropy", "squared"])
def test_each_row_is_answered_by_the_fold_that_held_it_out(kind: str, loss: str) -> None:
    setup = made(kind, loss)
    problem, rng = setup.problem, np.random.default_rng(1)
    trees = [setup.strategy.new_tree(rng) for _ in range(3)]
    shift = 0.3 if (kind, loss) == ("binary", "cross_entropy") else 0.0
    found = held_out_answers(problem, trees, np.full(3, shift))
    inputs = np.asarray(problem.data.inputs, dtype=float)
    identity = -6
    for tree, codes, margins in zip(trees, found.codes, found.margins, strict=True):
        linear = tree.copy()
        linear["op"][tree["depth"] == 0] = identity
        place = 0
        for k, (_, held) in enumerate(problem.folds):
            logits = evaluate(linear, inputs[held], tree["weight"][:, k], tree["bias"][:, k])
            for row in logits.T.tolist():
                if len(row) == 1:
                    wanted, margin = int(row[0] > shift), abs(row[0] - shift)
                else:
                    wanted = max(range(len(row)), key=lambda c: row[c])
                    margin = row[wanted] - max(z for c, z in enumerate(row) if c != wanted)
                if margin > 1e-4:
                    assert codes[place] == wanted
                if margin < 10:  # a probability near to 1 has few digits left
                    assert margins[place] == pytest.approx(margin, rel=1e-2, abs=1e-4)
                place += 1
        assert place == len(codes)
    assert found.truth.tolist() == problem.truth.target[problem.validation_rows].astype(int).tolist()


def test_many_rows_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    setup = made("binary", "auto", "int8")
    trees = [setup.strategy.new_tree(np.random.default_rng(1))]
    whole = held_out_answers(setup.problem, trees, np.zeros(1))
    monkeypatch.setattr(answers, "MOST_ROWS", 50)
    some = held_out_answers(setup.problem, trees, np.zeros(1))
    assert some.codes.shape == some.margins.shape == (1, 50)
    rows = np.linspace(0, len(whole.truth) - 1, 50).astype(int)
    assert np.array_equal(some.codes, whole.codes[:, rows])
    assert np.array_equal(some.truth, whole.truth[rows])


def test_a_run_keeps_those_of_its_front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search.judge.honest, "REPEATS", 1)
    text = '[data]\nsource = "{}"\n[search]\npopulation = 12\ngenerations = 1\nfolds = 2\n[train]\nepochs = 3\n'
    for source in ("wine", "diabetes"):
        (tmp_path / f"{source}.toml").write_text(text.format(source) + "[baselines]\nmodels = []\n")
        assert main([str(tmp_path / f"{source}.toml"), "--out", str(tmp_path / source), "--quiet"]) == 0
    assert load_answers(RunFolder(tmp_path / "diabetes")) is None
    found = load_answers(RunFolder(tmp_path / "wine"))
    assert found is not None
    front = search.load_front(tmp_path / "wine")
    assert found.codes.shape == (len(front), len(found.truth))
    errors = (found.codes != found.truth).mean(axis=1)
    assert errors == pytest.approx([member.val_error for member in front], abs=1e-9)
