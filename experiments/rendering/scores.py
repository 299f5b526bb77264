"""The rows of the 14 tables grouped by model, table and seed, and the labels of the models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from experiments.common.paper_tables import CLASSIFICATION, REGRESSION, TABLES

KINDS = (("Classification: accuracy", CLASSIFICATION), ("Regression: R²", REGRESSION))
# In the order in which they are shown; other models follow under their own names.
LABELS = {
    "evolved": "evolved neural tree",
    "ensemble": "Pareto ensemble",
    "evolved_alone": "evolved neural tree without teachers",
    "ensemble_alone": "Pareto ensemble without teachers",
    "random_tree": "random neural tree",
    "linear": "linear model",
    "mlp_8": "MLP (8)",
    "mlp_100": "MLP (100)",
    "pruned_mlp": "pruned MLP",
    "cart": "CART",
    "pruned_taught": "pruned MLP with teachers",
    "random_forest": "random forest",
    "extra_trees": "extremely randomised trees",
    "boosting": "gradient boosting",
    "svm": "SVM (RBF)",
    "gaussian_process": "Gaussian process",
    "teachers": "the teachers, weighted mean",
}
OURS = ("evolved", "ensemble", "evolved_alone", "ensemble_alone")
CONTROLS = ("pruned_taught", "teachers")  # show the effect of the lessons; no user would choose them
BESIDE = ("evolved_alone", "lessons")  # jobs that may have fewer hold-outs than all others


class Entry(NamedTuple):
    """A model and the largest number of weights it may have, or None without a limit."""

    model: str
    budget: int | None = None

    @property
    def label(self) -> str:
        name = LABELS.get(self.model, self.model)
        return f"{name}, ≤ {self.budget} weights" if self.budget else name


HEADLINE = Entry("evolved")  # the model that is tested against the baselines


class Scored(NamedTuple):
    score: float
    weights: float


Scores = dict[Entry, dict[str, dict[int, Scored]]]  # by model, table, seed


def scores_of(rows: Iterable[Mapping[str, str]], protocol: str) -> Scores:
    """The scores of one protocol: models in the order in which they are shown, the largest budget first."""
    found: Scores = {}
    for row in rows:
        if row["protocol"] == protocol:
            entry = Entry(row["model"], int(row["budget"]) if row["budget"] else None)
            scored = Scored(float(row["score"]), float(row["weights"]))
            found.setdefault(entry, {}).setdefault(row["table"], {})[int(row["seed"])] = scored
    places = list(LABELS)

    def place(entry: Entry) -> tuple[int, str, int]:
        known = places.index(entry.model) if entry.model in places else len(places)
        return known, entry.model, -(entry.budget or 10**9)

    return {entry: found[entry] for entry in sorted(found, key=place)}


def shared(rows: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """Keep the honest rows of a table only on the hold-outs that every job on that table has, so that means compare.

    Rows of the other protocol stay.
    """
    done: dict[str, dict[str, set[str]]] = {}
    for row in rows:
        if row["protocol"] == "honest" and row["job"] not in BESIDE:
            done.setdefault(row["table"], {}).setdefault(row["job"], set()).add(row["seed"])
    common = {table: set.intersection(*of_job.values()) for table, of_job in done.items()}
    return [row for row in rows if row["protocol"] != "honest" or row["seed"] in common.get(row["table"], ())]


def values(of_table: Mapping[int, Scored], name: str = "score") -> dict[int, float]:
    """One field by seed."""
    return {seed: getattr(scored, name) for seed, scored in of_table.items()}


def means_by_seed(of_entry: Mapping[str, Mapping[int, Scored]], tables: Sequence[str]) -> dict[int, float]:
    """The mean over the tables for every seed that all of them have."""
    if any(table not in of_entry for table in tables):
        return {}
    seeds = set.intersection(*(set(of_entry[table]) for table in tables))
    return {seed: float(np.mean([of_entry[table][seed].score for table in tables])) for seed in sorted(seeds)}


def mean_weights(of_entry: Mapping[str, Mapping[int, Scored]], tables: Sequence[str]) -> float | None:
    """The mean over the tables of each table's mean; None if a table is missing."""
    if any(table not in of_entry for table in tables):
        return None
    return float(np.mean([np.mean(list(values(of_entry[table], "weights").values())) for table in tables]))


def means_by_table(of_entry: Mapping[str, Mapping[int, Scored]]) -> dict[str, float]:
    """The mean score over the seeds for each table that has scores, in the order of the tables."""
    return {table: float(np.mean(list(values(of_entry[table]).values()))) for table in TABLES if table in of_entry}
