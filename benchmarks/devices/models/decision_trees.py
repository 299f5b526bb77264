"""Decision trees as emlearn and as m2cgen write them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.devices.device_tasks import Task, promised
from benchmarks.devices.models.candidates import Candidate, entry, first_largest
from benchmarks.devices.models.emlearn_code import fit_trees, tree_code, voted, voting

EMLEARN, M2CGEN = "decision tree (emlearn)", "decision tree (m2cgen)"
DEPTHS = (1, 2, 3, 4, 6)
MEMCPY = "void *memcpy(void *, const void *, __SIZE_TYPE__);"


def decision_trees(task: Task) -> Iterator[Candidate]:
    """CART of growing depths, each by both programs."""
    for depth in DEPTHS:
        model = fit_trees(task, task.X, task.y, 1, depth)
        hope = promised(task, voted(task, 1, depth), "trees", 1, depth)
        yield from tree_code(task, model, hope, EMLEARN, f"depth {depth}")
        yield _m2cgen(task, model, hope, f"depth {depth}")


def _m2cgen(task: Task, model: Any, hope: float, name: str) -> Candidate:
    """It computes in doubles, and gets doubles; two classes have two outputs."""
    import m2cgen

    code = m2cgen.export_to_c(model).replace("#include <string.h>", MEMCPY)
    body = "    return (float)score(x);\n"
    if task.classes:
        outputs = max(task.classes, 2)
        compare = "    return y[1] > y[0];\n" if task.classes == 2 else first_largest("y", task.classes)
        body = f"    double y[{outputs}];\n    score(x, y);\n{compare}"
    text = code + entry(body, task.classes, "double *x")
    return Candidate(M2CGEN, name, hope, voting(model)(task.test_X), {"score.c": text}, dtype=np.float64)
