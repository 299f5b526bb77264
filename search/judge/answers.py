"""What models answer for rows that they were not fitted to, and how sure they are: from it come limits of cascades.

Each row is answered with the weights of the fold that held it out. Those of the judgement, which are trained from the
start, are no better for limits (``benchmarks.run cascade_limits``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.tasks.links import class_codes
from neuraltree.tasks.task import Task
from neuraltree.tree.nodes import Nodes
from search.engine.evaluate import Problem, validation_outputs
from search.engine.integer_scores import integer_outputs
from search.errors import InputError
from search.folder.records import RunFolder, write_npz
from search.reading import read_npz

FILE = "held_out.npz"
MOST_ROWS = 20_000
SURE = 1e-12  # a probability of a sigmoid output differs from 0 and 1 by at least so much


class Answers(NamedTuple):
    """``codes`` (trees, rows): positions of classes; ``margins`` (trees, rows): by how much a logit can change before
    the answer does; ``truth`` (rows,): positions of the true classes."""

    codes: NDArray[np.int64]
    margins: FloatArray
    truth: NDArray[np.int64]


def held_out_answers(problem: Problem, trees: list[Nodes], thresholds: FloatArray) -> Answers:
    """For the validation rows, or evenly spaced ones if they are many; ``thresholds`` (trees,): of the logits."""
    count = len(problem.validation_rows)
    rows = np.linspace(0, count - 1, min(count, MOST_ROWS)).astype(np.int64)
    codes, margins = [], []
    for tree, threshold in zip(trees, thresholds.tolist(), strict=True):  # outputs of all trees can take gigabytes
        outputs = integer_outputs(problem, [tree]) if problem.in_integers else validation_outputs(problem, [tree])
        found = answered(problem.task, outputs[0][:, rows] - threshold)
        codes.append(found[0])
        margins.append(found[1])
    truth = problem.truth.target[problem.validation_rows[rows]].astype(np.int64)
    return Answers(np.array(codes), np.array(margins), truth)


def answered(task: Task, outputs: FloatArray) -> tuple[NDArray[np.int64], FloatArray]:
    """(rows,) codes and margins from ``outputs`` (outputs, rows), of which 0 decides if there is one."""
    if task.output_activation == "sigmoid":
        share = np.clip(outputs, SURE, 1 - SURE)
        outputs = np.log(share / (1 - share))
    codes = class_codes(outputs.T).astype(np.int64)
    if len(outputs) == 1:
        return codes, np.abs(outputs[0])
    second, best = np.partition(outputs, -2, axis=0)[-2:]
    return codes, best - second


def write_answers(folder: RunFolder, answers: Answers) -> None:
    """``held_out.npz``: of the models of the front, in their order."""
    arrays: dict[str, NDArray] = {"codes": answers.codes.astype(np.int16), "truth": answers.truth.astype(np.int16)}
    write_npz(folder.path / FILE, arrays | {"margins": answers.margins.astype(np.float32)})


def load_answers(folder: RunFolder) -> Answers | None:
    """None for a run that has none: of an older version, or of a regression."""
    path = folder.path / FILE
    if not path.is_file():
        return None
    try:
        stored = read_npz(path)
        found = stored["codes"], stored["margins"], stored["truth"]
    except (ValueError, KeyError):
        raise InputError(f"{path} is damaged; move it away, and training rows decide in its place") from None
    return Answers(found[0].astype(np.int64), found[1].astype(float), found[2].astype(np.int64))
