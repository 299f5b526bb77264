"""Run every check of scikit-learn on one public estimator and print what came of each as JSON: see the test beside."""

from __future__ import annotations

import json
import sys

from sklearn.utils.estimator_checks import check_estimator

import neuraltree

# Forests of two trees are forests; the checks fit dozens of them.
FASTER = {"ParetoEnsembleClassifier": {"members": 2}, "ParetoEnsembleRegressor": {"members": 2}}

if __name__ == "__main__":
    name = sys.argv[1]
    results = check_estimator(getattr(neuraltree, name)(**FASTER.get(name, {})), on_fail=None, on_skip=None)
    told = [(each["check_name"], each["status"], str(each["exception"] or "")) for each in results]
    print(json.dumps(told))
