"""Searches by the code of the current directory, an old checkout or this one, on samples in ``.npz`` files.

``python driver.py FOLDER GENERATIONS OBJECTIVE PARAMETERS`` reads every sample in the folder. For each it prints a line
of JSON: the members of the front with their errors and sizes, and the CPU seconds. PARAMETERS of the estimator are
JSON. It uses only what both versions have.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

LEAST = 1e-12  # the lowest probability whose logarithm counts


def error(tree: Any, X: Any, y: Any, objective: str) -> float:
    """On test rows: the error rate, the log loss, or 1 - R²."""
    if tree.classes is None:
        return float(np.mean((tree.predict(X) - y) ** 2) / np.var(y))
    share = tree.predict_proba(X)
    if objective == "error":
        return float(np.mean(np.asarray(tree.classes)[share.argmax(axis=1)] != y))
    place = np.searchsorted(np.asarray(tree.classes), y)
    return float(-np.log(np.maximum(share[np.arange(len(y)), place], LEAST)).mean())


def fronts(path: Path, generations: int, objective: str, parameters: dict[str, Any]) -> dict[str, Any]:
    from neuraltree import NeuralTreeClassifier, NeuralTreeRegressor
    from search import Evolution

    with np.load(path) as stored:
        X, y, test_X, test_y, classes = (stored[name] for name in ("X", "y", "test_X", "test_y", "classes"))
    measure = objective if classes else "error"
    search = Evolution(generations=generations, objectives=(measure, "weights"))
    kind = NeuralTreeClassifier if classes else NeuralTreeRegressor
    begun = time.process_time()
    model = kind(search, n_jobs=1, random_state=int(path.stem.split("-")[-1]), **parameters).fit(X, y)
    spent = time.process_time() - begun
    names = ("val_error", "honest_error", "honest_error_se", "weights")
    members = [
        {name: member.values[name] for name in names if name in member.values}
        | {"test": error(member.tree(), test_X, test_y, measure)}
        for member in model.front_
    ]
    front = model.front_
    chosen = list(front).index(front.recommended()) if hasattr(front, "recommended") else 0
    return {"sample": path.stem, "members": members, "chosen": chosen, "cpu_s": spent}


def main() -> None:
    sys.path.insert(0, str(Path.cwd()))
    folder, generations, objective = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    parameters = json.loads(sys.argv[4])
    for path in sorted(folder.glob("*.npz")):
        print(json.dumps(fronts(path, generations, objective, parameters)), flush=True)


if __name__ == "__main__":
    main()
