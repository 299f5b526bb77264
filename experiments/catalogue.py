"""The table of all experiments, one row each; a module is imported only when its experiment is asked for."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from experiments.frame.data_places import CHECKOUT
from experiments.frame.experiment import Experiment
from search.strict import check_known

RESULTS = CHECKOUT / "results"

MODULES = {
    "tables/bneuralt": "tables",
    "tables/reference": "reference",
    "mnist": "mnist",
    "mnist_c": "mnist_c",
    "stochasticity": "stochasticity",
    "multi_output": "multi_output",
    "activations": "activations",
    "selection": "selection",
    "ablation": "ablation",
    "search_peers": "search_peers",
    "growth_operator": "growth_operator",
    "pruning": "pruning",
    "deep_compression": "deep_compression",
    "depth": "depth",
    "distillation": "distillation",
    "learned_rate": "learned_rate",
    "drift": "drift",
    "studies/savings": "savings",
    "studies/robustness": "robustness",
    "studies/invariance": "invariance",
    "studies/weights": "weights",
    "studies/convergence": "convergence",
    "studies/fuzzy": "fuzzy",
    "studies/series": "series",
    "studies/metaheuristics": "metaheuristics",
    "studies/hfnt": "hfnt",
    "studies/federated": "federated",
    "studies/mixtures": "mixtures",
    "studies/sensitivity": "sensitivity",
    "studies/unknowns": "unknowns",
}


def load(name: str) -> Experiment:
    """``InputError`` for a name that is not in the table."""
    check_known(name, MODULES, f"there is no experiment {name!r}")
    experiment: Experiment = import_module(f"experiments.studies.{MODULES[name]}.run").EXPERIMENT
    return experiment


def csv_path(name: str, *, quick: bool = False, results: Path | None = None) -> Path:
    """The CSV file of an experiment; files of ``quick`` runs are not kept in git."""
    return (results or RESULTS) / ("quick" if quick else "") / f"{name.rpartition('/')[2]}.csv"
