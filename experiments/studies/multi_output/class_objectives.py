"""One error per class as objectives, against one error of all rows: the classes that the trees learn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from experiments.common.fronts import tested, values
from experiments.common.searching import Size, Tables, last_within, prepare, run
from experiments.frame.experiment import Row, Unit
from search.judge.finish import live_front
from search.pictures.learnability import rates

TABLE = "vehicle"
# With the weights these are five objectives, the most for which exact hypervolumes are affordable.
OBJECTIVES: dict[str, Tables] = {
    "class_errors": {"search": {"objectives": ["class_errors", "weights"]}},
    "one_error": {"search": {"objectives": ["error", "weights"]}},
}
MEMBERS = 12  # of a front, from the lowest error to the highest
COLUMNS = ("member", "class", "weights", "val_error", "test_score", "true_positives", "false_positives")


def rows(unit: Unit, size: Size) -> list[Row]:
    """A row for each class and each of ``MEMBERS``; the rates are those on the test rows."""
    search = prepare(unit.table, unit.seed, size, OBJECTIVES[unit.job])
    moments = run(search)
    state = moments[last_within(search, moments)].state
    models = tested(search, state, live_front(search.setup, state))
    test, classes = search.setup.test_rows, search.table.classes or ()
    truth = search.table.y[test]
    return [
        {
            "member": i,
            "class": str(label).strip(),
            "weights": models[i].tree.num_weights,
            "val_error": models[i].promised,
            "test_score": models[i].test_score,
            "true_positives": float(true),
            "false_positives": float(false),
        }
        for i in spread(len(models)).tolist()
        for label, (false, true) in zip(
            classes, rates(values(search, models[i].tree, test), truth, np.arange(len(classes))), strict=True
        )
    ]


def spread(count: int) -> NDArray[np.int64]:
    """At most ``MEMBERS`` places in a front, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, MEMBERS)).round().astype(np.int64))
