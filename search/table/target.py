"""What the target of a table is: numbers to predict, or classes, each as it is written."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neuraltree.tree.tree import Label
from search.config.settings import TaskConfig
from search.errors import InputError
from search.strict import shown
from search.table.raw import Raw, is_number

MOST_CLASSES = 100
FEW, ROWS_EACH = 20, 10  # so many whole numbers are classes, if each has so many rows on average
MOST_EXACT = 2**53  # whole numbers beyond it are not all doubles

_WHOLE = re.compile(r"[+-]?\d{1,300}", re.ASCII)
_PADDED = re.compile(r"0\d+", re.ASCII)
_INTEGER = re.compile(r"0|-?[1-9]\d{0,18}", re.ASCII)


def is_regression(raw: Raw, task: TaskConfig) -> bool:
    """Whether the target holds numbers to predict: as the config says, or as its cells look.

    Texts are classes, and so are the whole numbers of a column where some have leading zeros. Other numbers are
    classes if they are whole and either two, or at most 20 that ten rows or more hold on average. ``InputError`` for
    texts where numbers were asked for, and for numbers that could be either if two spellings of one occur.
    """
    cells = _different(raw)
    if any(isinstance(cell, str) and not is_number(cell) for cell in cells):
        _check_texts(raw, task, len(cells))
        return False
    if task.kind != "auto" or raw.classes:
        return task.kind == "regression"
    numbers = {_number(cell) for cell in cells}
    few = len(numbers) == 2 or (len(numbers) <= FEW and ROWS_EACH * len(numbers) <= len(raw.y))
    whole = all(number % 1 == 0 for number in numbers)
    padded = whole and any(isinstance(cell, str) and _PADDED.fullmatch(cell) for cell in cells)
    if few or padded:
        _check_spellings(raw, cells)
    return not (padded or (few and whole))


def as_numbers(y: NDArray) -> NDArray[np.float64]:
    """Numbers, or texts of numbers, as doubles: NaN for a missing one."""
    return np.array([float(cell or "nan") for cell in y.tolist()]) if y.dtype == object else y.astype(np.float64)


def varying(raw: Raw) -> NDArray[np.float64]:
    """The numbers to predict; ``InputError`` if they are all the same."""
    if np.ptp(raw.y) == 0:
        raise InputError(
            f"{raw.source}: the target {shown(raw.target)} is {raw.y[0]:g} in every row; there is nothing to learn"
        )
    return raw.y


def read_classes(raw: Raw) -> tuple[NDArray[np.int64], tuple[Label, ...]]:
    """(rows,) positions in the sorted labels, and those labels."""
    cells = _different(raw)
    made = _labels(cells)
    labels, name = tuple(sorted(made)), shown(raw.target)
    if len(labels) > MOST_CLASSES:
        raise InputError(
            f"{raw.source}: the target {name} has {len(labels)} different values; at most {MOST_CLASSES} can be "
            'classes; for a number to predict, set task.kind = "regression"'
        )
    if len(labels) == 1:
        raise InputError(f"{raw.source}: the target {name} has one class only, {shown(labels[0])}")
    code = {cell: labels.index(label) for cell, label in zip(cells, made, strict=True)}
    codes = np.array([code[cell] for cell in raw.y.tolist()], dtype=np.int64)
    _check_class_sizes(raw, labels, codes)
    return codes, labels


def _different(raw: Raw) -> list[Label]:
    """The different cells of the target, sorted, without missing ones."""
    if raw.y.dtype == object:
        return sorted(set(raw.y.tolist()) - {""})
    return np.unique(raw.y).tolist()


def _number(cell: Label) -> int | float:
    """A whole number as it is, however large."""
    return (int(cell) if _WHOLE.fullmatch(cell) else float(cell)) if isinstance(cell, str) else cell


def _labels(cells: Sequence[Label]) -> Sequence[Label]:
    """The label of each cell of a column of texts, or of an array of numbers."""
    numbers = [cell for cell in cells if not isinstance(cell, str)]
    if not numbers:
        return _labels_of_texts([str(cell) for cell in cells])
    whole = all(isinstance(cell, int) or (cell % 1 == 0 and abs(cell) <= MOST_EXACT) for cell in numbers)
    return [int(cell) for cell in numbers] if whole else numbers


def _labels_of_texts(texts: list[str]) -> Sequence[Label]:
    """Integers or floats if all texts are written as Python writes these, so that nothing is lost; else the texts."""
    if all(map(_INTEGER.fullmatch, texts)) and all(abs(int(text)) < 2**63 for text in texts):
        return [int(text) for text in texts]
    if not all(map(is_number, texts)):
        return texts
    numbers = [float(text) for text in texts]
    written = [repr(number) for number in numbers]
    # Beside 0.5, 2 is as good as 2.0, but not beside 2.0.
    usual = all(text in (full, full.removesuffix(".0")) for text, full in zip(texts, written, strict=True))
    return numbers if usual and all(map(math.isfinite, numbers)) and len(set(numbers)) == len(texts) else texts


def _check_texts(raw: Raw, task: TaskConfig, different: int) -> None:
    """Texts as targets are refused where numbers were asked for, or are what most of them look like."""
    wrong = [i for i, cell in enumerate(raw.y) if cell and not is_number(cell)]
    mostly_numbers = task.kind == "auto" and not raw.classes and different > FEW and 2 * len(wrong) < len(raw.y)
    if task.kind == "regression" or mostly_numbers:
        raise InputError(
            f"{raw.source}: {raw.place(wrong[0])}, column {shown(raw.target)}: {shown(raw.y[wrong[0]])} is not a "
            'number; correct it, or set task.kind = "classification" if the target holds classes'
        )


def _check_spellings(raw: Raw, cells: Sequence[Label]) -> None:
    """``InputError`` if two texts are one number."""
    seen: dict[int | float, Label] = {}
    for cell in cells:
        other = seen.setdefault(_number(cell), cell)
        if other != cell:
            raise InputError(
                f"{raw.source}: column {shown(raw.target)}: {shown(other)} and {shown(cell)} are two texts and one "
                'number; set task.kind = "classification" if they are two classes, or "regression" for numbers'
            )


def _check_class_sizes(raw: Raw, labels: tuple[Label, ...], codes: NDArray) -> None:
    sizes = np.bincount(codes)
    if sizes.min() < 2:
        row = int(np.flatnonzero(codes == sizes.argmin())[0])
        label = labels[sizes.argmin()]
        hint = "; if it is a header line, set data.header = true" if raw.unit == "line" and row == 0 else ""
        if isinstance(label, str) and is_number(label):
            hint += '; for a number to predict, set task.kind = "regression"'
        raise InputError(
            f"{raw.source}: the class {shown(label)} has one row only, {raw.place(row)}; "
            f"every class needs more: add rows of it, or leave it out{hint}"
        )
