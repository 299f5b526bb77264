"""The target of a table: numbers to predict, or classes named as they are written."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neuraltree.inputs.texts import is_number
from neuraltree.tree.labels import Label, positive_last
from search.config.settings import TaskConfig
from search.errors import InputError
from search.strict import shown
from search.table.files.raw import Raw

MOST_CLASSES = 100
FEW, ROWS_EACH = 20, 10  # at most FEW distinct whole numbers are classes if each has ROWS_EACH rows on average
MOST_EXACT = 2**53  # not every whole number beyond it is a double

_WHOLE = re.compile(r"[+-]?\d{1,300}", re.ASCII)
_PADDED = re.compile(r"0\d+", re.ASCII)
_INTEGER = re.compile(r"0|-?[1-9]\d{0,18}", re.ASCII)


def is_regression(raw: Raw, task: TaskConfig) -> bool:
    """Whether the target holds numbers to predict: as the config says, or else judged by its cells.

    Texts are classes. So are whole numbers of which some have leading zeros. Other numbers are classes if they are
    whole, and there are either two distinct ones or at most 20 with ten rows or more each on average. ``InputError``
    if the config asks for numbers and there are texts, or if numbers could be classes and one has two spellings.
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
    """Numbers, or texts of numbers, as doubles; NaN for a missing cell."""
    return np.array([float(cell or "nan") for cell in y.tolist()]) if y.dtype == object else y.astype(np.float64)


def varying(raw: Raw) -> NDArray[np.float64]:
    """The numbers to predict; ``InputError`` if they are all the same."""
    if np.ptp(raw.y) == 0:
        raise InputError(
            f"{raw.source}: the target {shown(raw.target)} is {raw.y[0]:g} in every row; there is nothing to learn"
        )
    return raw.y


def read_classes(raw: Raw, positive: Label = "") -> tuple[NDArray[np.int64], tuple[Label, ...]]:
    """The class of each row (rows,), as a position in the labels; and the labels, sorted, but a positive class last."""
    cells = _different(raw)
    made = _labels(cells)
    labels, name = tuple(sorted(made)), shown(raw.target)
    if len(labels) > MOST_CLASSES:
        raise InputError(
            f"{raw.source}: the target {name} has {len(labels)} different values; at most {MOST_CLASSES} can be "
            f"classes; {_for_numbers(raw)}"
        )
    if len(labels) == 1:
        raise InputError(f"{raw.source}: the target {name} has one class only, {shown(labels[0])}")
    if positive != "":
        try:
            labels = positive_last(labels, positive)
        except ValueError as error:
            raise InputError(f"task.positive: {error}, in the target {name} of {raw.source}") from None
    code = {cell: labels.index(label) for cell, label in zip(cells, made, strict=True)}
    codes = np.array([code[cell] for cell in raw.y.tolist()], dtype=np.int64)
    _check_class_sizes(raw, labels, codes)
    return codes, labels


def _different(raw: Raw) -> list[Label]:
    """The distinct cells of the target, sorted, without missing ones."""
    if raw.y.dtype == object:
        return sorted(set(raw.y.tolist()) - {""})
    return np.unique(raw.y).tolist()


def _number(cell: Label) -> int | float:
    """The number in a cell; whole numbers stay exact, however large."""
    return (int(cell) if _WHOLE.fullmatch(cell) else float(cell)) if isinstance(cell, str) else cell


def _labels(cells: Sequence[Label]) -> Sequence[Label]:
    """The label of each cell; the cells are all texts, or all numbers."""
    numbers = [cell for cell in cells if not isinstance(cell, str)]
    if not numbers:
        return _labels_of_texts([str(cell) for cell in cells])
    whole = all(isinstance(cell, int) or (cell % 1 == 0 and abs(cell) <= MOST_EXACT) for cell in numbers)
    return [int(cell) for cell in numbers] if whole else numbers


def _labels_of_texts(texts: list[str]) -> Sequence[Label]:
    """Integers or floats if Python would write them exactly as the texts, so that nothing is lost; else the texts."""
    if all(map(_INTEGER.fullmatch, texts)) and all(abs(int(text)) < 2**63 for text in texts):
        return [int(text) for text in texts]
    if not all(map(is_number, texts)):
        return texts
    numbers = [float(text) for text in texts]
    written = [repr(number) for number in numbers]
    # A column of 0.5 and 2 becomes 0.5 and 2.0. But 2 and 2.0 in one column are two texts of one number.
    usual = all(text in (full, full.removesuffix(".0")) for text, full in zip(texts, written, strict=True))
    return numbers if usual and all(map(math.isfinite, numbers)) and len(set(numbers)) == len(texts) else texts


def _check_texts(raw: Raw, task: TaskConfig, different: int) -> None:
    """``InputError`` for texts in the target if numbers were asked for, or if most cells are numbers."""
    wrong = [i for i, cell in enumerate(raw.y) if cell and not is_number(cell)]
    mostly_numbers = task.kind == "auto" and not raw.classes and different > FEW and 2 * len(wrong) < len(raw.y)
    if task.kind == "regression" or mostly_numbers:
        reading = f"; to read such texts as numbers, set data.{raw.target_hint}" if raw.target_hint else ""
        raise InputError(
            f"{raw.source}: {raw.place(wrong[0])}, column {shown(raw.target)}: {shown(raw.y[wrong[0]])} is not a "
            f'number; correct it, or set task.kind = "classification" if the target holds classes{reading}'
        )


def _check_spellings(raw: Raw, cells: Sequence[Label]) -> None:
    """``InputError`` if two distinct texts are the same number."""
    seen: dict[int | float, Label] = {}
    for cell in cells:
        other = seen.setdefault(_number(cell), cell)
        if other != cell:
            raise InputError(
                f"{raw.source}: column {shown(raw.target)}: {shown(other)} and {shown(cell)} are two texts for one "
                'number; set task.kind = "classification" if they are two classes, or "regression" for numbers'
            )


def _for_numbers(raw: Raw) -> str:
    """What to set if the target is a number."""
    key = f"data.{raw.target_hint}" if raw.target_hint else 'task.kind = "regression"'
    return f"for a number to predict, set {key}"


def _check_class_sizes(raw: Raw, labels: tuple[Label, ...], codes: NDArray) -> None:
    sizes = np.bincount(codes)
    if sizes.min() < 2:
        row = int(np.flatnonzero(codes == sizes.argmin())[0])
        label = labels[sizes.argmin()]
        hint = "; if it is a header line, set data.header = true" if raw.places.unit == "line" and row == 0 else ""
        if raw.target_hint or (isinstance(label, str) and is_number(label)):
            hint += f"; {_for_numbers(raw)}"
        raise InputError(
            f"{raw.source}: the class {shown(label)} has one row only, {raw.place(row)}; "
            f"every class needs at least two: add rows of it, or leave it out{hint}"
        )
