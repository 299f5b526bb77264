"""Features of windows and lags of arrays, before estimators."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from neuraltree import NeuralTreeClassifier
from neuraltree.export.signals.signal_library import export_signal
from neuraltree.signals import WindowFeatures, lagged
from neuraltree.signals.signal_model import SignalModel


def test_lags_by_hand() -> None:
    series = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0], [4.0, 40.0], [5.0, 50.0]])
    X, y = lagged(series, lags=(2, 0), horizon=1, target=1)
    assert X.tolist() == [[1, 3, 10, 30], [2, 4, 20, 40]]
    assert y.tolist() == [40, 50]
    X, y = lagged(series, lags=(0,), horizon=0, target=1)  # the target is no input
    assert X.ravel().tolist() == [1, 2, 3, 4, 5]
    assert y.tolist() == series[:, 1].tolist()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"lags": ()}, "at least one lag"),
        ({"lags": (-1,)}, "0 or more"),
        ({"lags": (3,), "horizon": 2}, "at least 6 are needed"),
        ({"lags": (0,), "target": 1}, "target=1"),
        ({"lags": (1,), "horizon": 0}, "from itself"),
    ],
)
def test_lags_that_cannot_be_had(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        lagged(np.arange(5.0), **given)


def test_windows_groups_and_targets_by_hand() -> None:
    first, second = np.arange(40.0), 100 + np.arange(27.0)  # whole numbers: a scale of 1
    made = WindowFeatures(16, 8, features=["ch1.mean@16", "ch1.lag:2@16"]).fit([first, second])
    X = made.transform([first, second])
    ends = [16, 24, 32, 40, 16, 24]
    whole = [first] * 4 + [second] * 2
    assert X[:, 1].tolist() == [one[end - 3] for one, end in zip(whole, ends, strict=True)]
    assert X[:, 0].tolist() == [np.trunc(one[end - 16 : end].mean()) for one, end in zip(whole, ends, strict=True)]
    assert made.get_feature_names_out().tolist() == ["ch1.mean@16", "ch1.lag:2@16"]
    assert made.groups([first, second]).tolist() == [0, 0, 0, 0, 1, 1]
    found = made.targets([first, second], [first, second], horizon=3)
    np.testing.assert_array_equal(found, [18, 26, 34, np.nan, 118, 126])


def test_windows_before_a_tree_and_in_firmware() -> None:
    rng = np.random.default_rng(0)
    y, t = np.repeat([0, 1], 20), np.arange(32)
    X = np.stack([np.sin(t * (0.2 + 0.8 * c) + rng.uniform(0, 6)) + rng.normal(0, 0.1, 32) for c in y])[:, :, None]
    features = ["ch1.zero_crossings@32", "ch1.sd@32"]
    model = make_pipeline(
        WindowFeatures(32, features=features).set_output(transform="pandas"), NeuralTreeClassifier(random_state=0)
    )
    assert cross_val_score(clone(model), X, y, cv=2).min() > 0.9
    fitted = model.fit(X, y)
    files = export_signal(SignalModel(fitted[0].front_end_, fitted[-1].tree_), "swing")
    assert "int swing_push(" in files["swing.h"]


def test_what_is_no_recording_is_refused() -> None:
    made = WindowFeatures(16).fit(np.zeros((20, 2)) + np.arange(20)[:, None])
    with pytest.raises(ValueError, match="fitted with 2"):
        made.transform(np.zeros((20, 3)))
    with pytest.raises(ValueError, match="no window fits"):
        made.transform(np.zeros((10, 2)))
    with pytest.raises(ValueError, match="one value for each sample"):
        made.targets(np.zeros((20, 2)), np.zeros(19))
    with pytest.raises(ValueError, match="channels names 1"):
        WindowFeatures(16, channels=["x"]).fit(np.zeros((20, 2)))
