"""The parts of a table, checked before any work: whether its rows, classes, groups and times are enough for them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from neuraltree.tree.labels import Label
from search.errors import InputError
from search.strict import shown
from search.table.data import Table
from search.table.fresh_splits import fresh_folds
from search.table.split_columns import TEST, Codes
from search.table.splits import HOLD_OUT, RowIndices, Split, class_weights, groups_of_classes, make_folds, split

LEAST_GROUPS = 3  # groups to train with: two can be parted in one way only, and the judgement needs another one
LEAST_ROWS = round(2 / HOLD_OUT)  # rows to train with
ADVICE = {
    "group": "choose another run.seed, fewer search.folds, or add groups",
    "time": "lower search.folds or data.test_fraction, add times, or leave the class out if it comes too late",
    "split": "move some rows to other parts",
}


class Parts(NamedTuple):
    """The training rows, the test rows, and the folds of the training rows, all as positions in the table."""

    train: RowIndices
    test: RowIndices
    folds: list[Split]


def checked_parts(table: Table, folds: int, test_fraction: float, seed: int) -> Parts:
    """The parts that a search splits a table into; ``InputError`` if it cannot learn, be scored or be judged there.

    A column of given parts decides instead of ``test_fraction``, and instead of ``folds`` if it names folds.
    """
    rules = table.rules
    if rules.time is None and rules.part is None:
        check_folds(table, folds, test_fraction)
    if rules.group is not None:
        _check_groups(table, rules.group, folds, test_fraction)
    train, test = split(table, test_fraction, seed)
    if not rules.free:
        _check_rows(table, train, test, folds)
    made = make_folds(table, train, folds, seed)
    if not rules.free:
        _check_made(table, train, made, folds, seed)
    check_weights(table, made)
    if table.classes is None:
        validation = np.concatenate([held for _, held in made])
        tests = {"test": test} if len(test) else {}
        check_spread(table, {"training": train, "validation": validation} | tests)
    return Parts(train, test, made)


def check_folds(table: Table, folds: int, test_fraction: float) -> None:
    """``InputError`` unless the parts that ``split`` and ``make_folds`` make are large enough for fitting and scoring.

    Every class must have rows among the fit rows and the validation rows of every fold.
    """
    rows = len(table.y)
    n_test = math.ceil(rows * test_fraction)
    n_train = rows - n_test
    settings = _settings(folds, test_fraction)
    least = max(2 * folds, LEAST_ROWS)
    if n_train < least or (test_fraction and n_test < 2):
        raise InputError(
            f"{rows} rows leave {n_train} to train and {n_test} to test with {settings}; "
            f"at least {least} and {2 if test_fraction else 0} are needed"
        )
    if table.classes is None:
        return
    least = folds if folds > 1 else round(1 / HOLD_OUT)
    sizes = np.bincount(table.y, minlength=len(table.classes))
    if (smallest := int(sizes.min())) * n_train // rows < least:
        raise InputError(
            f"class {shown(table.classes[sizes.argmin()])} has {smallest} rows, too few for {settings}: "
            f"{least} must be left to train; lower either, add rows of the class, or leave it out"
        )
    if test_fraction and n_test < len(table.classes):
        raise InputError(f"{n_test} test rows cannot hold all {len(table.classes)} classes; raise data.test_fraction")


def check_spread(table: Table, parts: dict[str, RowIndices]) -> None:
    """``InputError`` unless the numbers to predict vary in every part: otherwise 1 - R² is not defined there."""
    for name, rows in parts.items():
        # A variance below the smallest normal double has lost digits.
        if np.var(table.y[rows], axis=0).min() < np.finfo(np.float64).tiny:
            raise InputError(
                f"the target {shown(table.target)} is the same, or nearly, in all {len(rows)} {name} rows; "
                "scale it up, choose another run.seed or data.test_fraction, or add rows"
            )


def check_weights(table: Table, folds: list[Split]) -> None:
    """``InputError`` if, in a fold, all validation rows have weight 0, or all fit rows of a class have."""
    if table.weight is None:
        return
    for k, (fit, held) in enumerate(folds):
        by_class = class_weights(table, fit)
        if by_class.min() > 0 and class_weights(table, held).any():
            continue
        rows = f"{'validation' if by_class.min() > 0 else 'training'} rows of fold {k}"
        if table.classes and by_class.min() == 0:
            rows += f" of class {shown(table.classes[by_class.argmin()])}"
        raise InputError(
            f"data.weight is 0, or next to it, in all {rows}; "
            "choose another run.seed or fewer search.folds, or leave out rows of weight 0"
        )


def _check_groups(table: Table, group: Codes, folds: int, test_fraction: float) -> None:
    """``InputError`` if there are too few groups to make the parts from, or a class lies in one of them only."""
    part = table.rules.part
    count = len(np.unique(group if part is None else group[part != TEST]))
    tested = math.ceil(count * test_fraction) if part is None else 0
    least = max(LEAST_GROUPS, 0 if table.rules.given_folds else folds)
    if count - tested < least:
        leave = f"leave {count - tested} to train and {tested} to test" if tested else "are there to train"
        raise InputError(
            f"{_rule(table)}: {count} groups {leave} with {_settings(folds, test_fraction if tested else 0)}; at least "
            f"{least} are needed to train: add groups, or lower search.folds or data.test_fraction"
        )
    lying = groups_of_classes(table, group, np.arange(len(table.y)))
    if table.classes is not None and lying.min() < 2:
        raise InputError(
            f"data.group: class {shown(table.classes[lying.argmin()])} lies in one group only; at least 2 are needed, "
            "one to learn the class from and one to score it: add groups with the class, or leave it out"
        )


def _check_rows(table: Table, train: RowIndices, test: RowIndices, folds: int) -> None:
    """``InputError`` if the training or test rows that rules leave are too few, of all or of a class."""
    if len(train) < LEAST_ROWS or len(test) == 1:
        raise InputError(
            f"{_rule(table)}: {len(table.y)} rows leave {len(train)} to train and {len(test)} to test; at least "
            f"{LEAST_ROWS} and 2 are needed"
        )
    if table.classes is None:
        return
    drawn = table.rules.time is None and not table.rules.given_folds
    least = (folds if folds > 1 else round(1 / HOLD_OUT)) if drawn else 2
    sizes = np.bincount(table.y[train], minlength=len(table.classes))
    if sizes.min() < least:
        raise InputError(
            f"{_rule(table)}: {sizes.min()} rows of class {shown(table.classes[sizes.argmin()])} are left to train; "
            f"at least {least} are needed: {_advice(table)}"
        )


def _check_made(table: Table, train: RowIndices, made: list[Split], folds: int, seed: int) -> None:
    """``InputError`` if there are fewer folds than asked for, a class is missing in one, or none are left to judge."""
    time = table.rules.time
    if time is not None and len(made) < folds:
        raise InputError(
            f"{_rule(table)}: {len(made)} of search.folds = {folds} can be made from {len(train)} training rows ("
            f"different times: {len(np.unique(time[train]))}); each needs earlier rows of every class: {_advice(table)}"
        )
    if table.classes is not None:
        _check_classes(table, table.classes, made)
    if next(fresh_folds(table, train, made, seed), None) is None:
        raise InputError(
            f"{_rule(table)}: the judgement needs other folds than those of the search, and there are none: "
            f"{_advice(table)}"
        )


def _check_classes(table: Table, classes: Sequence[Label], made: list[Split]) -> None:
    """``InputError`` unless every class has training rows in every fold, and validation rows in one."""
    validation = np.concatenate([held for _, held in made])
    places = {f"training rows of fold {k}": fit for k, (fit, _) in enumerate(made)} | {"validation rows": validation}
    for place, rows in places.items():
        sizes = np.bincount(table.y[rows], minlength=len(classes))
        if not sizes.all():
            label = shown(classes[int(sizes.argmin())])
            raise InputError(f"{_rule(table)}: class {label} is missing in the {place}: {_advice(table)}")


def _settings(folds: int, test_fraction: float) -> str:
    return f"search.folds = {folds}" + (f" and data.test_fraction = {test_fraction:g}" if test_fraction else "")


def _rule(table: Table) -> str:
    """The keys of a config that make the rules."""
    if table.front is not None:
        return "recordings"
    return " and ".join(f"data.{name}" for name in table.rules.arrays)


def _advice(table: Table) -> str:
    return ADVICE[[*table.rules.arrays][-1]]
