"""Published results of evolved trees: hypervolumes of MONT, scores of HFNT's trees and ensembles."""

from __future__ import annotations

from typing import NamedTuple

from experiments.common.paper_tables import CLASSIFICATION

# Ojha and Nicosia, MONT, slides of WCCI 2020: hypervolume indicator in %, by method in the order of CLASSIFICATION.
_MONT = {
    "gp": (84.10, 78.74, 85.65, 73.38, 90.68, 85.60, 86.47, 49.21, 44.14),
    "nsga2": (83.57, 77.46, 83.83, 76.01, 90.55, 90.00, 87.44, 52.72, 56.16),
    "nsga3": (83.57, 77.46, 88.97, 76.01, 91.34, 89.97, 87.28, 51.99, 52.35),
}
MONT: dict[str, dict[str, float]] = {
    table: {method: values[i] for method, values in _MONT.items()} for i, table in enumerate(CLASSIFICATION)
}
MONT_MEANS = {"gp": 75.33, "nsga2": 77.53, "nsga3": 77.66}


# Table III of the same slides: average test error of 30 runs, in the order of CLASSIFICATION; MONT3 is NSGA-III.
_TEST_ERRORS = {
    "MONT3": (0.111, 0.191, 0.102, 0.201, 0.038, 0.011, 0.048, 0.450, 0.371),
    "HFNT": (0.174, 0.230, 0.178, 0.284, 0.065, 0.189, 0.176, 0.591, 0.601),
    "MLP": (0.175, 0.213, 0.094, 0.249, 0.024, 0.040, 0.037, 0.183, 0.367),
    "REP-T": (0.150, 0.247, 0.107, 0.255, 0.096, 0.064, 0.071, 0.291, 0.348),
    "NBC": (0.231, 0.176, 0.166, 0.244, 0.026, 0.047, 0.070, 0.544, 0.525),
    "DT": (0.146, 0.312, 0.126, 0.337, 0.514, 0.070, 0.370, 0.463, 0.337),
    "SVM": (0.455, 0.461, 0.073, 0.353, 0.532, 0.029, 0.369, 0.754, 0.353),
}
TEST_ERRORS: dict[str, dict[str, float]] = {
    table: {model: errors[i] for model, errors in _TEST_ERRORS.items()} for i, table in enumerate(CLASSIFICATION)
}


class Hfnt(NamedTuple):
    """``multi``: accuracy or R² of multi-objective trees, 80/20 hold-outs, published with BNeuralT (2021). Those of
    2017: mean accuracy of trees in 10-fold cross-validation, or half the mean squared error in 5-fold, and the best
    ensemble's accuracy."""

    multi: float
    tree: float
    ensemble: float | None = None


# Ojha, Abraham and Snášel, Applied Soft Computing 2017, tables 3, 7 and 8.
HFNT = {
    "australian": Hfnt(0.813, 0.8573, 0.8696),
    "heart": Hfnt(0.781, 0.8028, 0.8704),
    "ionosphere": Hfnt(0.864, 0.8614, 0.9029),
    "pima": Hfnt(0.736, 0.7030, 0.7632),
    "wdbc": Hfnt(0.965, 0.9367, 0.9429),
    "baseball": Hfnt(0.608, 288688.6),
    "dee": Hfnt(0.803, 0.086),
    "friedman": Hfnt(0.715, 3.293),
}
