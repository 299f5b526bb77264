"""A rare alarm: 1 row of 100, of which a small tree should find as many as larger models do.

``python -m benchmarks.run alarm`` draws 20,000 rows for training and as many for the test. An alarm is a joint
deviation of two of eight sensors, or a large value of a third, seen through noise. Beside the recommended tree:
scikit-learn's gradient boosting, and logistic regression with balanced classes. Thresholds are chosen on training rows
alone.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score, precision_recall_curve
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.promise.reporting import report
from neuraltree import NeuralTreeClassifier
from neuraltree.cli.markdown import table
from search import Evolution

ROWS, SENSORS, SHARE, LEVEL = 20_000, 8, 0.01, 0.5
TIME_S = 30.0


def alarms(seed: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(rows, sensors) readings, and 1 for an alarm."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(ROWS, SENSORS))
    danger = np.maximum(X[:, 0] * X[:, 1], 1.2 * X[:, 2] - 1) + 0.5 * rng.normal(size=ROWS)
    return X + 0.1 * rng.normal(size=X.shape), (danger > np.quantile(danger, 1 - SHARE)).astype(np.int64)


def models(seed: int) -> dict[str, Callable[[], Any]]:
    def tuned(model: Any) -> Any:
        return TunedThresholdClassifierCV(model, scoring="f1", random_state=seed)

    def tree() -> Any:
        search = Evolution(
            time=TIME_S, objectives=("average_precision", "weights"), threshold="tuned", baselines=(), folds=4
        )
        return NeuralTreeClassifier(search, random_state=seed)

    linear = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced"))
    return {
        "neural tree": tree,
        "gradient boosting": lambda: tuned(HistGradientBoostingClassifier(random_state=seed)),
        "logistic regression, balanced": lambda: tuned(linear),
    }


def scored(model: Any, X: NDArray, y: NDArray) -> dict[str, float]:
    share = model.predict_proba(X)[:, 1]
    precision, recall, _ = precision_recall_curve(y, share)
    tree = getattr(model, "tree_", None)
    return {
        "average_precision": float(average_precision_score(y, share)),
        "recall_at_precision": float(recall[precision >= LEVEL].max()),
        "f1": float(f1_score(y, model.predict(X))),
        "weights": float("nan") if tree is None else float(tree.num_weights),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("results/alarm.json"), help="default: %(default)s")
    options = parser.parse_args()
    console, found = Console(stderr=True), []
    for seed in range(options.seeds):
        (X, y), (test_X, test_y) = alarms(2 * seed), alarms(2 * seed + 1)
        for name, make in models(seed).items():
            begun = time.perf_counter()
            model = make().fit(X, y)
            took = time.perf_counter() - begun
            found.append({"model": name, "seed": seed, "seconds": took} | scored(model, test_X, test_y))
            console.print(found[-1])
    report("alarm", {"seeds": options.seeds, "rows": found}, page, options.out)


def page(result: dict[str, Any]) -> str:
    names = ("average_precision", "recall_at_precision", "f1", "weights", "seconds")
    header = ("model", "average precision", f"recall at precision {LEVEL:g}", "F1 at the tuned threshold", *names[3:])
    rows = []
    for model in dict.fromkeys(row["model"] for row in result["rows"]):
        own = [row for row in result["rows"] if row["model"] == model]
        means = [np.mean([row[name] for row in own]) for name in names]
        rows.append([model, *("" if np.isnan(mean) else f"{mean:.3g}" for mean in means)])  # only trees count weights
    about = f"""Made by `{result["command"]}`. {ROWS:,} rows for training and as many for the test, {100 * SHARE:g} %
of them alarms; means over {result["seeds"]} seeds. The search has {TIME_S:g} s."""
    return f"# A rare alarm\n\n{about}\n\n{table(header, rows)}\n"


if __name__ == "__main__":
    main()
