"""The table of a run, checked before the search begins."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from neuraltree.inputs.encoders import Column
from neuraltree.tree.labels import Label
from search.config.settings import DataConfig, TaskConfig
from search.errors import InputError
from search.strict import one_line
from search.table.raw import check_values, check_weight
from search.table.sources import read_source
from search.table.split_columns import Groups, Rules, read_rules
from search.table.target import as_numbers, is_regression, read_classes, varying


@dataclass(frozen=True, eq=False)
class Table:
    """``X`` (rows, features); ``y`` (rows,): float64 for regression, int64 positions in ``classes`` otherwise.

    A regression with several targets has ``y`` (rows, targets); it comes from an estimator, never from a file.
    ``kind`` is "regression", "binary" or "multiclass"; ``digest`` is the SHA-256 of all the rest.
    ``weight`` (rows,): the weight of each row in training, 0 or more; None if all rows count the same. ``rules``: how
    the rows may be split. ``fairness``: the groups whose errors are compared. ``columns``: those that the features come
    from; None if they are the columns themselves.
    """

    X: NDArray[np.float64]
    y: NDArray
    features: tuple[str, ...]
    target: str
    classes: tuple[Label, ...] | None
    kind: str
    digest: str
    weight: NDArray[np.float64] | None = None
    rules: Rules = field(default_factory=Rules)
    fairness: Groups | None = None
    columns: tuple[Column, ...] | None = None

    @property
    def targets(self) -> int:
        return 1 if self.y.ndim == 1 else self.y.shape[1]


def load_table(data: DataConfig, task: TaskConfig) -> Table:
    """The table that a config asks for; ``InputError`` for anything in it that would make a run fail."""
    raw = read_source(data)
    regression = is_regression(raw, task)
    raw = replace(raw, y=as_numbers(raw.y)) if regression else raw
    check_values(raw, data.drop)
    check_weight(raw, data.weight)
    rules, fairness = read_rules(raw, data)
    y, classes = (varying(raw), None) if regression else read_classes(raw, task.positive)
    kind = "regression" if classes is None else "binary" if len(classes) == 2 else "multiclass"
    for key, unused in (("class_weight", "none"), ("positive", "")) if regression else ():
        if (value := getattr(task, key)) != unused:
            raise InputError(f"task.{key} = {json.dumps(value)} needs classes; {raw.source} is a regression task")
    _check_names([*raw.features, raw.target, *map(str, classes or ())], raw.source)
    X = np.ascontiguousarray(raw.X)
    names = json.dumps([raw.features, raw.target, classes, kind])
    numbers = [X, y] if raw.weight is None else [X, y, raw.weight]
    parts = [names.encode(), *(part.astype("<f8").tobytes() for part in numbers)]
    parts += [part for rule, codes in rules.arrays.items() for part in (rule.encode(), codes.astype("<i8").tobytes())]
    parts += [] if fairness is None else [json.dumps(fairness.names).encode(), fairness.codes.astype("<i8").tobytes()]
    digest = hashlib.sha256(b"".join(parts)).hexdigest()
    return Table(X, y, raw.features, raw.target, classes, kind, digest, raw.weight, rules, fairness)


def _check_names(names: list[str], source: str) -> None:
    """``InputError`` for names that are not UTF-8, which arrays of texts can hold but files cannot."""
    try:
        "".join(names).encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{source}: the name of a column or a class is not UTF-8: {one_line(error)}") from None
