"""The rows of the study by job, method and share, and the comparisons that its page makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from experiments.common.paper_tables import CLASSIFICATION, REGRESSION
from experiments.common.statistics import holm, signed_rank_p
from experiments.rendering.searches import ResultRows
from experiments.rendering.text import NONE, figure, signed
from experiments.studies.savings.run import NETWORK, TREE
from neuraltree.arrays import FloatArray

KINDS = {"accuracy": CLASSIFICATION, "R²": REGRESSION}
JOBS = {TREE: "trees", NETWORK: "dense networks"}
NEAR = 0.01  # below the validation score of the baseline
SAVED = {"nominal_saved": "nominal, %", "saved": "saved, %", "saved_kept": "with kept values, %"}


class Setting(NamedTuple):
    """A method at a share, as cells."""

    method: str
    share: str


BASE = Setting("baseline", "0.0")
Values = dict[tuple[str, str], float]  # by table and seed
Found = dict[tuple[str, Setting], list[Mapping[str, str]]]  # rows by job and setting


def found_in(rows: ResultRows) -> Found:
    found: Found = {}
    for row in rows:
        found.setdefault((row["job"], Setting(row["method"], row["share"])), []).append(row)
    return found


def values_of(found: Found, job: str, setting: Setting, kind: str, column: str) -> Values:
    own = [row for row in found.get((job, setting), ()) if row["table"] in KINDS[kind]]
    return {(row["table"], row["seed"]): float(row[column]) for row in own}


def jobs_in(found: Found) -> list[str]:
    return [job for job in JOBS if job in {job for job, _ in found}]


def settings_in(found: Found, methods: Iterable[str]) -> list[Setting]:
    """Methods in their order, each with its shares from the lowest on."""
    every = {setting for _, setting in found}
    return [
        setting
        for name in methods
        for setting in sorted((each for each in every if each.method == name), key=lambda each: float(each.share))
    ]


def mean_of(found: Found, job: str, setting: Setting, column: str) -> float:
    """Over the tables of both kinds and the hold-outs."""
    values = [value for kind in KINDS for value in values_of(found, job, setting, kind, column).values()]
    return float(np.mean(values)) if values else float("nan")


def percent(value: float) -> str:
    return figure(100 * value, 1)


def share_of(setting: Setting) -> str:
    return figure(float(setting.share), 2) if float(setting.share) else ""


def apart(found: Found, job: str, setting: Setting, base: Setting, kind: str) -> FloatArray:
    """The test scores of a setting beside those of another, of each table and hold-out."""
    own, other = (values_of(found, job, each, kind, "test_score") for each in (setting, base))
    return np.array([own[key] - other[key] for key in other if key in own])


def gains(apart: Sequence[FloatArray]) -> list[str]:
    p = holm([signed_rank_p(each, np.zeros_like(each)) if each.any() else 1.0 for each in apart])
    pairs = zip(apart, p, strict=True)
    return [f"{signed(float(each.mean()))} (p = {value:.2g})" if len(each) else NONE for each, value in pairs]


class Best(NamedTuple):
    """On each table and hold-out, the test scores beside the baseline's, and (pairs, 3) by ``SAVED``."""

    apart: FloatArray
    saved: FloatArray


def best(found: Found, job: str, method: str, kind: str) -> Best:
    """The setting of a method, or the baseline, that validation rows choose on each table and hold-out."""
    columns = ("val_score", "test_score", *SAVED)
    settings = [BASE, *settings_in(found, (method,))]
    base, *others = [[values_of(found, job, each, kind, column) for column in columns] for each in settings]
    gained, saved = [], []
    for key, val_score in base[0].items():
        options = [[part[key] for part in each] for each in (base, *others) if key in each[0]]
        picked = max((each for each in options if each[0] >= val_score - NEAR), key=lambda each: each[-1])
        gained.append(picked[1] - base[1][key])
        saved.append(picked[2:])
    return Best(np.array(gained), np.array(saved).reshape(-1, len(SAVED)))
