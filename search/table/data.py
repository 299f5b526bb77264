"""The table of a run, checked before the search begins."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.inputs.encoders import Column
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.tree.labels import Label
from neuraltree.tree.scaler import Scaler
from search.table.files.raw import Raw
from search.table.split_columns import Groups, Rules

if TYPE_CHECKING:
    from search.table.streams.stream import Stream


class Whole(NamedTuple):
    """What is known of the training rows of a table that is larger than memory: their scalers and their number."""

    scaler: Scaler
    target_scaler: Scaler | None
    train_rows: int


@dataclass(frozen=True, eq=False)
class Table:
    """``X`` (rows, features); ``y`` (rows,): float64 for regression, int64 positions in ``classes`` otherwise.

    A regression with several targets has ``y`` (rows, targets); it comes from an estimator, never from a file.
    ``kind`` is "regression", "binary" or "multiclass"; ``digest`` is the SHA-256 of the cells and their names.
    ``weight`` (rows,): the weight of each row in training, 0 or more; None if all rows count the same. ``rules``: how
    the rows may be split. ``fairness``: the groups whose errors are compared. ``columns``: those that the features come
    from, each with its encoder; None if the features are the columns, numbers without holes. ``notes``: what was mended
    and what is doubtful, a line each. ``stream``: all rows of a table larger than memory, of which these are some;
    ``whole``: what is known of them. ``front``: what makes the features of recordings, and
    ``moments`` (rows, 2): the recording of each row, and the samples of it that are there by then;
    ``label_window``: the samples that its label is of; ``hops``: the
    samples between two decisions, of which each model has one.
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
    notes: tuple[str, ...] = ()
    stream: Stream | None = None
    whole: Whole | None = None
    front: FrontEnd | None = None
    moments: NDArray[np.int64] | None = None
    label_window: int = 0
    hops: tuple[int, ...] = ()

    @property
    def labels(self) -> NDArray:
        """``y`` with the classes themselves in place of their positions."""
        return self.y if self.classes is None else np.array(self.classes, dtype=object)[self.y]

    def counted(self, train: NDArray[np.int64], test: NDArray[np.int64]) -> dict[str, int]:
        """The number of training rows and of test rows, those that are on disk counted."""
        if self.stream is not None:
            return {"train": self.stream.train_rows, "test": self.stream.test_rows}
        return {"train": len(train), "test": len(test)}

    @property
    def targets(self) -> int:
        return 1 if self.y.ndim == 1 else self.y.shape[1]


def digest_of(table: Table, raw: Raw) -> str:
    """The SHA-256 of the cells of ``raw``, which are the features if the table has no ``columns``."""
    names = json.dumps([raw.features, raw.target, table.classes, table.kind])
    found = hashlib.sha256(names.encode())
    cells = _numbers(table.X) if table.columns is None else _cells(raw)
    for part in (*cells, *_numbers(table.y), *(() if raw.weight is None else _numbers(raw.weight))):
        found.update(part)
    for rule, codes in table.rules.arrays.items():
        found.update(rule.encode() + codes.astype("<i8").tobytes())
    if table.fairness is not None:
        found.update(json.dumps(table.fairness.names).encode() + table.fairness.codes.astype("<i8").tobytes())
    return found.hexdigest()


def _numbers(values: NDArray) -> Iterator[memoryview | bytes]:
    yield np.ascontiguousarray(values, dtype="<f8").data


def _cells(raw: Raw) -> Iterator[memoryview | bytes]:
    for cells in raw.columns.values():
        if cells.dtype.kind == "O":
            yield json.dumps(cells.tolist()).encode()
        else:
            yield from _numbers(cells.astype("datetime64[us]").astype(np.int64) if cells.dtype.kind == "M" else cells)
