"""Estimators on frames with texts, truth values, categories, times and holes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from neuraltree import NeuralTreeClassifier, NeuralTreeRegressor, ParetoEnsembleRegressor, load, save
from neuraltree.inputs.encoders import Category, Flag, Number, Ordinal
from search import Evolution

pandas = pytest.importorskip("pandas")
ROWS = 120


def frame(seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    made = pandas.DataFrame(
        {
            "species": rng.choice(["adelie", "gentoo", "chinstrap"], ROWS),
            "length": rng.normal(size=ROWS),
            "tagged": rng.choice([True, False], ROWS),
            "size": pandas.Categorical(rng.choice(["s", "m", "l"], ROWS), ["s", "m", "l"], ordered=True),
        }
    )
    made.loc[::9, "length"] = np.nan
    return made


def target(X: Any) -> np.ndarray:
    return np.where(X["species"] == "gentoo", 1.0, -1.0) + X["length"].fillna(0.0).to_numpy()


def brief(**more: Any) -> dict[str, Any]:
    return {"epochs": 20, "missing": "mean", "random_state": 0, **more}


def test_a_frame_is_fitted_and_the_tree_carries_its_columns(tmp_path: Any) -> None:
    X = frame()
    model = NeuralTreeRegressor(**brief(epochs=None)).fit(X, target(X))
    assert [type(column) for column in model.columns_] == [Category, Number, Flag, Ordinal]
    assert model.tree_.features[:4] == ("species=adelie", "species=chinstrap", "species=gentoo", "length")
    assert model.score(X, target(X)) > 0.9
    assert model.n_features_in_ == 4
    assert model.feature_importances_.shape == (4,)
    assert model.feature_importances_[:2].sum() > 0.6
    save(model.tree_, tmp_path / "model.json")
    loaded = load(tmp_path / "model.json")
    assert loaded == model.tree_
    again = NeuralTreeRegressor.from_tree(loaded)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    np.testing.assert_array_equal(loaded.predict(X.to_dict("records")), model.predict(X))
    # A level that was never seen is none of the levels, and a hole is the mean.
    new = pandas.DataFrame({"species": ["emperor"], "length": [np.nan], "tagged": [True], "size": ["m"]})
    features = np.array([[0, 0, 0, np.nanmean(X["length"]), 1, 1]])
    np.testing.assert_allclose(model.predict(new), loaded.predict(features), rtol=1e-12)


@pytest.mark.parametrize("library", ["polars", "objects", "lists"])
def test_other_tables_give_the_same_model(library: str) -> None:
    X = frame().astype({"size": str})
    y = target(X)
    other: Any = X.to_numpy()
    if library == "polars":
        other = pytest.importorskip("polars").DataFrame(X.to_dict("list"), nan_to_null=True)
    elif library == "lists":
        other = X.to_numpy().tolist()
    one, two = (NeuralTreeRegressor(**brief()).fit(data, y) for data in (X, other))
    np.testing.assert_array_equal(one.predict(X), two.predict(other))


def test_a_search_takes_frames_and_so_do_ensembles_and_cross_validation() -> None:
    X = frame()
    y = np.where(target(X) > 0, "above", "below")
    search = Evolution(generations=1, population=20, folds=2, baselines=("linear", "cart"))
    model = NeuralTreeClassifier(search, **brief()).fit(X, y)
    assert model.score(X, y) > 0.8
    assert all(member.tree().columns == model.columns_ for member in model.front_)
    assert cross_val_score(NeuralTreeClassifier(**brief(epochs=None)), X, y, cv=2).min() > 0.7
    ensemble = ParetoEnsembleRegressor(members=2, estimator=NeuralTreeRegressor(**brief())).fit(X, target(X))
    assert ensemble.predict(X).shape == (ROWS,)
    assert clone(ensemble).fit(X, target(X)).missing == "mean"


def test_the_features_are_those_of_a_pipeline_of_scikit_learn() -> None:
    X, columns = frame(), ["species", "length"]
    y = target(X)
    ours = NeuralTreeRegressor(**brief()).fit(X[columns], y)
    made = make_column_transformer((OneHotEncoder(sparse_output=False), ["species"]), (SimpleImputer(), ["length"]))
    theirs = make_pipeline(made, NeuralTreeRegressor(**brief(missing=None))).fit(X[columns], y)
    np.testing.assert_allclose(ours.predict(X[columns]), theirs.predict(X[columns]), rtol=1e-9)


def test_what_cannot_be_learned_from_is_named() -> None:
    X = frame()
    with pytest.raises(ValueError, match="X has missing cells in 'length'; fill them, or set missing="):
        NeuralTreeRegressor().fit(X, target(X))
    with pytest.raises(ValueError, match="missing='zero'; allowed: None, 'mean', 'median'"):
        NeuralTreeRegressor(missing="zero").fit(X, target(X))
    model = NeuralTreeRegressor(**brief()).fit(X, target(X))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(X.rename(columns={"length": "width"}))
    with pytest.raises(ValueError, match="column 'size', row 0 from 0: 'xl'; allowed: s, m, l"):
        model.predict(X.assign(size="xl"))
    named = X.assign(name=[f"bird {i}" for i in range(ROWS)])
    with pytest.raises(ValueError, match="column 'name' has 120 different texts"):
        NeuralTreeRegressor(**brief()).fit(named, target(X))


def test_arrays_of_numbers_with_holes_need_no_names() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = X[:, 0].copy()
    X[::7, 2] = np.nan
    model = NeuralTreeRegressor(**brief(missing="median")).fit(X, y)
    assert not hasattr(model, "feature_names_in_")
    filled = np.where(np.isnan(X), np.nanmedian(X, axis=0), X)
    np.testing.assert_array_equal(model.predict(X), model.predict(filled))
    np.testing.assert_array_equal(model.predict(X), model.tree_.predict(filled))


def test_numbers_as_texts_and_as_numpy_scalars_are_numbers() -> None:
    X = np.round(np.random.default_rng(0).normal(size=(60, 2)), 1)
    y = X[:, 0]
    wanted = NeuralTreeRegressor(**brief(missing=None)).fit(X, y).predict(X)
    scalars = np.empty(X.shape, dtype=object)
    scalars[:] = [[np.float64(value) for value in row] for row in X]
    for same in (pandas.DataFrame(X).astype(str), X.astype(str), scalars):
        np.testing.assert_allclose(NeuralTreeRegressor(**brief(missing=None)).fit(same, y).predict(same), wanted)


def test_one_row_is_answered_as_many_are() -> None:
    X = frame()
    y = np.where(target(X) > 0, "above", "below")
    model = NeuralTreeClassifier(**brief()).fit(X, y)
    rows = X.astype(object).where(X.notna(), None).to_numpy().tolist()
    assert [model.predict_one(row) for row in rows[:20]] == model.predict(X.head(20)).tolist()


def test_a_fit_that_fails_leaves_the_columns_of_the_last() -> None:
    X = frame()
    y = np.where(target(X) > 0, "above", "below")
    model = NeuralTreeClassifier(**brief()).fit(X, y)
    before = model.predict(X)
    with pytest.raises(ValueError, match="one class only"):
        model.fit(X[["species", "length"]].assign(tagged=1, size=2), ["above"] * ROWS)
    np.testing.assert_array_equal(model.predict(X), before)


@pytest.mark.parametrize("rows", [{"a": [1, 2]}, [{"a": 1}, {"a": 2}]])
def test_mappings_are_refused(rows: Any) -> None:
    with pytest.raises(ValueError, match="give a frame of pandas or polars, or an array"):
        NeuralTreeRegressor().fit(rows, [1.0, 2.0])
