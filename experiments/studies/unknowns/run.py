"""How well small rejections tell windows unlike what was learned from.

Recordings of activities and of gestures: each class in turn is left out of training, and told from the others on people
or recordings of the test part. Bearings: only sound machines are known, and faults of other machines are told from
their sound windows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.frame.experiment import Experiment, Row, Unit
from experiments.frame.provenance import constants
from experiments.studies.unknowns import known_windows
from experiments.studies.unknowns.known_windows import Windows
from experiments.studies.unknowns.peers import PEERS
from neuraltree.arrays import FloatArray
from neuraltree.signals.features.feature_table import FEATURES
from neuraltree.signals.front_end.feature_candidates import streams
from neuraltree.signals.front_end.feature_names import parsed
from neuraltree.signals.one_class import steady_features
from neuraltree.signals.rejection import Rejection
from neuraltree.signals.rejection_choice import LEARNED, distance_of, held_out_scores
from neuraltree.tree.nodes import IntArray
from search.table.signals.feature_choice import chosen_features

TABLES, LEFT_OUT = ("gestures", "hapt"), "left_out"
BEARING = "bearing"
MACHINES = {"6 machines": (6, 3), "18 machines": (18, 1)}  # sound ones, and recordings of each
READ = (6, 12)  # features of a tree, about
SIZES = (2, 4, 8, 16)
PEER_SIZE = 8  # features that others get, beside all of them
RATE = 0.01
SECONDS, QUICK_SECONDS = 8.0, 2.0
ALL, STREAMING = "all", "streaming"
COLUMNS = (
    "method",
    "set",
    "features",
    "unknown",
    "size_bytes",
    "auroc",
    "found",
    "alarms",
    "found_worst",
    "alarms_worst",
)


def units(seeds: int, quick: bool) -> list[Unit]:
    left_out = [Unit(table, LEFT_OUT, 0) for table in TABLES]
    if quick:
        return [Unit(BEARING, "18 machines", 0), left_out[0]]
    return [*left_out, *(Unit(BEARING, job, seed) for seed in range(seeds) for job in MACHINES)]


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    modules = [f"experiments.studies.unknowns.{name}" for name in ("run", "known_windows", "peers")]
    return {"quick": quick, "constants": constants(*modules)}


def run(unit: Unit, quick: bool) -> list[Row]:
    if unit.table == BEARING:
        found = known_windows.bearings(unit.seed, QUICK_SECONDS if quick else SECONDS, *MACHINES[unit.job])
        return list(_machines(found, unit.seed))
    found = getattr(known_windows, unit.table)()
    return [row for name in found.classes for row in _left_out(found, name)]


def _left_out(found: Windows, name: str) -> Iterator[Row]:
    """Each rejection without one class, with as many features as 100 B hold and with ``READ``."""
    code = found.classes.index(name)
    train = ~found.tests & (found.y != code)
    known = np.unique(found.y[train], return_inverse=True)[1]
    is_unknown = {name: found.y[found.tests] == code}
    for count in READ:
        columns = chosen_features(found.X[train], known, len(found.classes) - 1, count)
        X, tests = found.X[:, columns], found.X[found.tests][:, columns]
        fit, about = (X[train], known, found.group[train]), {"set": ALL, "features": count}
        for method, learned in METHODS.items():
            yield from _ours(method, learned, fit, tests, is_unknown, about)
        yield from _confidence(fit, tests, is_unknown, about)
        yield from _peers(fit, tests, is_unknown, about, 0)


def _machines(found: Windows, seed: int) -> Iterator[Row]:
    train, tests = ~found.tests, found.tests
    normal = found.classes.index("normal")
    unknown = {name: found.y[tests] == code for code, name in enumerate(found.classes) if code != normal}
    known = found.y[tests] == normal
    fits = {ALL: range(len(found.names)), STREAMING: [i for i, name in enumerate(found.names) if _is_streaming(name)]}
    for name, places in fits.items():
        pool = found.X[:, list(places)]
        for count in SIZES:
            columns = steady_features(pool[train], count)
            fit = pool[train][:, columns], np.zeros(int(train.sum()), dtype=np.int64), found.group[train]
            about = {"set": name, "features": count}
            for kind, learned in LEARNED.items():
                yield from _ours(kind, learned, fit, pool[tests][:, columns], unknown, about, known)
            if count == PEER_SIZE and name == ALL:
                yield from _peers(fit, pool[tests][:, columns], unknown, about, seed, known)
    about = {"set": ALL, "features": len(found.names)}
    fit = found.X[train], np.zeros(int(train.sum()), dtype=np.int64), found.group[train]
    yield from _peers(fit, found.X[tests], unknown, about, seed, known, ("isolation forest", "one-class SVM"))


def _is_streaming(name: str) -> bool:
    return streams(FEATURES[parsed(name).feature.name])


Fit = tuple[IntArray, IntArray, IntArray]  # windows, class codes, groups
Learned = Callable[[IntArray, IntArray], Rejection]
Unknown = dict[str, NDArray[np.bool_]]


# The distance with a centre for each class, and with one for all; the envelope; whatever their size.
METHODS: dict[str, Learned] = {
    "mahalanobis, each class": lambda X, labels: distance_of(X, labels, range(X.shape[1])),
    "mahalanobis, one centre": lambda X, labels: distance_of(X, np.zeros_like(labels), range(X.shape[1])),
    "envelope": LEARNED["envelope"],
}


def _ours(
    method: str, learned: Learned, fit: Fit, tests: IntArray, unknown: Unknown, about: Row, known: NDArray | None = None
) -> Iterator[Row]:
    made, held_out = learned(*fit[:2]), held_out_scores(learned, *fit)
    row = {"method": method, "size_bytes": made.constant_bytes} | about
    yield from _scored(row, made.score(tests), held_out, fit[2], unknown, known)


def _peers(
    fit: Fit,
    tests: IntArray,
    unknown: Unknown,
    about: Row,
    seed: int,
    known: NDArray | None = None,
    names: tuple[str, ...] = tuple(PEERS),
) -> Iterator[Row]:
    """Their thresholds come from held-out groups, too."""
    X = fit[0].astype(np.float64)
    for name in names:
        made = PEERS[name](X, seed)
        held_out = _out_of_fold(partial(_peer_scores, name, seed), X, fit[2])
        row = {"method": name, "size_bytes": made.size_bytes} | about
        yield from _scored(row, made.scores(tests.astype(np.float64)), held_out, fit[2], unknown, known)


def _peer_scores(name: str, seed: int, X: FloatArray) -> Callable[[FloatArray], FloatArray]:
    return PEERS[name](X, seed).scores


def _confidence(fit: Fit, tests: IntArray, unknown: Unknown, about: Row) -> Iterator[Row]:
    """What a classifier's own scores tell: 1 - the largest probability of a linear model."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X = fit[0].astype(np.float64)

    def scores(rows: NDArray[np.bool_]) -> Callable[[FloatArray], FloatArray]:
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)).fit(X[rows], fit[1][rows])
        return lambda Z: 1 - model.predict_proba(Z).max(axis=1)

    held_out = np.zeros(len(X))
    folds = fit[2] % 5
    for k in np.unique(folds):
        held_out[folds == k] = scores(folds != k)(X[folds == k])
    row = {"method": "confidence of a linear model", "size_bytes": 0} | about
    every = np.ones(len(X), dtype=bool)
    yield from _scored(row, scores(every)(tests.astype(np.float64)), held_out, fit[2], unknown, None)


def _out_of_fold(
    learn: Callable[[FloatArray], Callable[[FloatArray], FloatArray]], X: FloatArray, groups: IntArray
) -> FloatArray:
    codes = np.unique(groups, return_inverse=True)[1] % 5
    found = np.zeros(len(X))
    for k in np.unique(codes):
        found[codes == k] = learn(X[codes != k])(X[codes == k])
    return found


def _scored(
    row: Row, scores: NDArray, held_out: NDArray, groups: IntArray, unknown: Unknown, known: NDArray | None
) -> Iterator[Row]:
    """A row for each kind of unknown windows. ``worst``: with the threshold of the worst held-out group, in place of
    that of all held-out windows."""
    from sklearn.metrics import roc_auc_score

    pooled = np.quantile(held_out, 1 - RATE, method="higher")
    worst = max(np.quantile(held_out[groups == g], 1 - RATE, method="higher") for g in np.unique(groups))
    for name, is_unknown in unknown.items():
        usual = ~is_unknown if known is None else known
        both = usual | is_unknown
        yield row | {
            "unknown": name,
            "auroc": float(roc_auc_score(is_unknown[both], scores[both])),
            "found": float((scores[is_unknown] > pooled).mean()),
            "alarms": float((scores[usual] > pooled).mean()),
            "found_worst": float((scores[is_unknown] > worst).mean()),
            "alarms_worst": float((scores[usual] > worst).mean()),
        }


EXPERIMENT = Experiment(
    "studies/unknowns", "how well windows unlike what was learned from are told", 10, COLUMNS, units, run, settings
)
