"""Class labels: as a NumPy array without loss, and in an order that names one of two classes as the positive one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Label = str | int | float


def label_array(labels: Sequence[Label]) -> NDArray:
    """(classes,) the labels, each unchanged.

    NumPy would convert 1 and 2**63 together to doubles, and strips zero characters from the end of a text. An array of
    such labels holds objects.
    """
    array = np.array(labels)
    found = array.tolist()
    exact = found == list(labels) and [*map(type, found)] == [*map(type, labels)]
    return array if exact else np.array(labels, dtype=object)


def positive_last(labels: Sequence[Label], positive: Label) -> tuple[Label, ...]:
    """The labels of two classes with the positive one last, given as the label or as its text.

    Raises ``ValueError`` if there are more than two classes, or if it is none of them.
    """
    if len(labels) > 2:
        raise ValueError(f"{positive!r} cannot be the positive class of {len(labels)} classes; only of two")
    last = [label for label in labels if label == positive or str(label) == str(positive)]
    if not last:
        raise ValueError(f"{positive!r} is none of the classes {' and '.join(map(repr, labels))}")
    return (*(label for label in labels if label not in last), *last)


def places(classes: Sequence[Label] | None, wanted: NDArray) -> list[int]:
    """The position among ``classes`` of each label that is ``wanted`` (classes,)."""
    return [list(classes or ()).index(label) for label in wanted.tolist()]
