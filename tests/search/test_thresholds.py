"""Thresholds of two classes: the best by brute force, out of fold, and carried to the end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, get_scorer, precision_score, recall_score

from neuraltree import NeuralTreeClassifier, NeuralTreeRegressor, ParetoEnsembleClassifier
from neuraltree.compress import quantize_tree
from neuraltree.tasks.metrics import Truth
from neuraltree.tasks.task import make_task
from search import Evolution, load_front
from search.config.config import load_config
from search.judge.thresholds import best_threshold, chosen_by, decided, thresholds
from search.run import main
from search.table import load_table
from search.table.splits import split

TASK = make_task("binary", 2)
# The loss of decisions that each metric is tuned by, by scikit-learn.
LOSSES = {
    "error_rate": lambda y, p: np.mean(y != p),
    "balanced_error": lambda y, p: 1 - balanced_accuracy_score(y, p),
    "one_minus_f1": lambda y, p: 1 - f1_score(y, p, zero_division=0),
    "one_minus_f1_macro": lambda y, p: 1 - f1_score(y, p, average="macro", zero_division=0),
    "log_loss": lambda y, p: 1 - f1_score(y, p, zero_division=0),
    "one_minus_average_precision": lambda y, p: 1 - f1_score(y, p, zero_division=0),
}


def rows(seed: int, count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.zeros(count, dtype=np.int64)
    y[: max(2, count // 8)] = 1
    return y, np.round(rng.normal(size=count) + y, 1)  # with ties


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("metric", LOSSES)
def test_the_threshold_is_the_best_of_all(metric: str, seed: int) -> None:
    y, logits = rows(seed)
    found = best_threshold(chosen_by(metric), Truth(TASK, y), logits)
    loss = LOSSES[metric](y, (logits > found).astype(int))
    places = np.unique(logits)
    every = [0.0, *((places[1:] + places[:-1]) / 2)]
    losses = [LOSSES[metric](y, (logits > c).astype(int)) for c in every]
    assert loss == pytest.approx(min(losses))
    ties = [abs(c) for c, other in zip(every, losses, strict=True) if other <= min(losses) + 1e-12]
    assert abs(found) == pytest.approx(min(ties))


@pytest.mark.parametrize("level", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("seed", range(6))
def test_a_level_is_kept_if_it_can_be(seed: int, level: float) -> None:
    y, logits = rows(seed)
    places = np.unique(logits)
    every = [(logits > c).astype(int) for c in [0.0, *((places[1:] + places[:-1]) / 2)]]
    scores = [(precision_score(y, p, zero_division=0), recall_score(y, p)) for p in every]
    for name, kept, raised in (("recall_at_precision", 0, 1), ("precision_at_recall", 1, 0)):
        found = best_threshold(chosen_by(f"one_minus_{name}_{level}"), Truth(TASK, y), logits)
        p = (logits > found).astype(int)
        score = precision_score(y, p, zero_division=0), recall_score(y, p)
        possible = [each[raised] for each in scores if each[kept] >= level]
        if possible:
            assert score[kept] >= level
            assert score[raised] == pytest.approx(max(possible))
        else:
            assert score[kept] == pytest.approx(max(each[kept] for each in scores))


def test_rows_that_are_all_alike_keep_the_default() -> None:
    y = np.array([0, 1, 1, 0])
    assert best_threshold(chosen_by("error_rate"), Truth(TASK, y), np.full(4, 1.5)) == 0
    assert thresholds("error_rate", Truth(TASK, np.zeros(4, np.int64)), np.zeros((2, 1, 4))).tolist() == [0, 0]


def test_a_fold_is_decided_by_the_rows_of_the_others() -> None:
    rng = np.random.default_rng(0)
    y = np.tile([0, 0, 0, 1], 15)
    folds = [(np.arange(0), np.arange(20 * k, 20 * (k + 1))) for k in range(3)]
    outputs = (3.0 + y + 0.1 * rng.normal(size=60))[None, None]  # the best threshold is near 3.5
    outputs[0, 0, :20] += 10  # all rows of the first fold are far above it
    found = decided("error_rate", Truth(TASK, y), folds, outputs)
    assert (found[0, 0, :20] > 5).all()  # so they cannot have chosen their own
    for k in range(3):
        others = np.ones(60, dtype=bool)
        others[20 * k : 20 * (k + 1)] = False
        (apart,) = thresholds("error_rate", Truth(TASK, y[others]), outputs[:, :, others])
        np.testing.assert_allclose(found[:, :, ~others], outputs[:, :, ~others] - apart)
    assert decided("log_loss", Truth(TASK, y), folds, outputs) is outputs


def alarms(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = (rng.uniform(size=rows) < 0.1).astype(int)
    return rng.normal(size=(rows, 3)) + y[:, None] * [1.0, 0.5, 0.0], y


def test_a_tuned_model_finds_more_of_a_rare_class_and_keeps_its_probabilities() -> None:
    X, y = alarms(600, 0)
    test_X, test_y = alarms(2000, 1)
    common = {"population": 20, "generations": 3, "objectives": ("f1", "weights"), "baselines": ()}
    plain, tuned = (
        NeuralTreeClassifier(Evolution(**common, threshold=threshold), random_state=0, epochs=5).fit(X, y)
        for threshold in ("default", "tuned")
    )
    assert plain.tree_.threshold == 0.5
    for member in tuned.front_:
        assert 0 < member.tree().threshold == member.values["threshold"] < 1
        assert member.tree().threshold != 0.5
    np.testing.assert_array_equal(
        tuned.predict(test_X), (tuned.predict_proba(test_X)[:, 1] > tuned.tree_.threshold).astype(int)
    )
    assert f1_score(test_y, tuned.predict(test_X)) > f1_score(test_y, plain.predict(test_X)) + 0.05
    # The honest error is of decisions by thresholds of other folds, so it is near the truth.
    honest = tuned.front_.recommended().honest_error
    assert honest == pytest.approx(1 - f1_score(test_y, tuned.predict(test_X)), abs=0.12)


FALL = {"population": 20, "generations": 3, "objectives": ("f1", "weights"), "baselines": ()}


def falls() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs, rare falls as 1, and as texts, of which "ok" is the second in sorted order."""
    X, y = alarms(600, 0)
    return X, y, np.array(["ok", "fall"])[y]


def test_the_positive_class_of_an_estimator_is_what_f1_counts() -> None:
    X, y, names = falls()
    model = NeuralTreeClassifier(Evolution(**FALL, positive="fall"), random_state=0, epochs=5).fit(X, names)
    usual = NeuralTreeClassifier(Evolution(**FALL), random_state=0, epochs=5).fit(X, y)
    assert model.classes_.tolist() == ["fall", "ok"]
    assert model.tree_.classes == ("ok", "fall")
    np.testing.assert_array_equal(model.predict(X), np.array(["ok", "fall"])[usual.predict(X)])
    np.testing.assert_array_equal(model.predict_proba(X), usual.predict_proba(X)[:, ::-1])
    with pytest.raises(ValueError, match="positive: 'stand' is none of the classes 'fall' and 'ok', in y"):
        NeuralTreeClassifier(Evolution(positive="stand")).fit(X, names)
    with pytest.raises(ValueError, match="positive=1 needs classes; this is a regression"):
        NeuralTreeRegressor(Evolution(positive=1)).fit(X, X[:, 0])


@pytest.mark.parametrize("scorer", ["roc_auc", "neg_log_loss"])
def test_scorers_of_scikit_learn_know_the_order_of_the_classes(scorer: str) -> None:
    X, y, names = falls()
    model = NeuralTreeClassifier(Evolution(**FALL, positive="fall"), random_state=0, epochs=5).fit(X, names)
    usual = NeuralTreeClassifier(Evolution(**FALL), random_state=0, epochs=5).fit(X, y)
    found = get_scorer(scorer)
    assert found(model, X, names) == pytest.approx(found(usual, X, y))
    again = NeuralTreeClassifier.from_tree(model.tree_)
    assert found(again, X, names) == pytest.approx(found(usual, X, y))


def test_a_tree_that_is_trained_further_keeps_its_order_of_classes() -> None:
    X, _, names = falls()
    model = NeuralTreeClassifier(random_state=0, warm_start=True).fit(X, names)
    before = model.score(X, names)
    model.set_params(search=Evolution(positive="fall"), epochs=1).fit(X, names)
    assert model.score(X, names) == pytest.approx(before, abs=0.02)
    turned = NeuralTreeClassifier(Evolution(**FALL, positive="fall"), random_state=0, warm_start=True, epochs=5)
    before = turned.fit(X, names).score(X, names)
    assert turned.fit(X, names).score(X, names) == pytest.approx(before, abs=0.05)
    turned.partial_fit(X, names, classes=["ok", "fall"])
    assert turned.score(X, names) == pytest.approx(before, abs=0.05)


def test_the_positive_class_of_an_ensemble() -> None:
    X, y, names = falls()
    model = ParetoEnsembleClassifier(Evolution(**FALL, positive="fall"), random_state=0).fit(X, names)
    usual = ParetoEnsembleClassifier(Evolution(**FALL), random_state=0).fit(X, y)
    assert {each.tree_.classes for each in model.estimators_} == {("ok", "fall")}
    np.testing.assert_array_equal(model.predict_proba(X), usual.predict_proba(X)[:, ::-1])
    assert [model.predict_one(x) for x in X[:50]] == model.predict(X[:50]).tolist()
    with pytest.raises(ValueError, match="positive: 'stand'"):
        ParetoEnsembleClassifier(Evolution(positive="stand")).fit(X, names)


def run_of(folder: Path, objective: str, precision: str = "float32") -> Path:
    """The folder of a small run with tuned thresholds."""
    X, y = alarms(300, 0)
    np.savez(folder / "t.npz", X=X, y=np.array(["no", "yes"])[y])
    (folder / "c.toml").write_text(
        f'[data]\nsource = "{folder}/t.npz"\n[search]\npopulation = 8\ngenerations = 1\n'
        f'objectives = ["{objective}", "weights"]\nthreshold = "tuned"\n[train]\nepochs = 2\n'
        f'[hardware]\nprecision = "{precision}"\n[baselines]\nmodels = []\n'
    )
    assert main([str(folder / "c.toml"), "--out", str(folder / "out"), "--quiet"]) == 0
    return folder / "out"


def test_a_tuned_threshold_is_in_the_files_of_a_run(tmp_path: Path) -> None:
    for member in load_front(run_of(tmp_path, "average_precision")):
        assert member.tree().threshold == member.values["threshold"]


def test_the_test_score_of_integers_is_that_of_their_decisions(tmp_path: Path) -> None:
    out = run_of(tmp_path, "f1", "int8")
    config = load_config(out / "config.toml")
    table = load_table(config)
    _, test = split(table, config.data.test_fraction, config.run.seed)
    labels = np.array(table.classes)[table.y[test]]
    for member in load_front(out):
        tree = member.tree()
        assert tree.threshold != 0.5
        integers = quantize_tree(tree).predict(table.X[test])
        assert member.values["int8_test_score"] == pytest.approx(np.mean(integers == labels))
        assert member.values["test_score"] == pytest.approx(np.mean(tree.predict(table.X[test]) == labels))


def test_only_two_classes_have_a_threshold() -> None:
    X, y = alarms(60, 0)
    with pytest.raises(ValueError, match="is for two classes and the loss of logits"):
        NeuralTreeRegressor(Evolution(threshold="tuned")).fit(X, X[:, 0])
    with pytest.raises(ValueError, match="threshold"):
        NeuralTreeClassifier(Evolution(threshold="best")).fit(X, y)
