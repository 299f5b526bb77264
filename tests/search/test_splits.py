"""Splits by the rules of a table: groups stay whole, the past comes before the future, given parts are kept."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.model_selection import TimeSeriesSplit

from search.errors import InputError
from search.table.data import Table
from search.table.fresh_splits import FOLDS, REPEATS, fresh_folds
from search.table.split_checks import Parts, checked_parts
from search.table.split_columns import TEST, TRAIN, Rules
from search.table.splits import HOLD_OUT, MANY_GROUPS, forward_folds, make_folds, split
from tests.helpers.strategies import steady

seeds = st.integers(0, 2**32 - 1)


def table_of(rules: Rules, kind: str = "regression", y: np.ndarray | None = None) -> Table:
    (codes, *_) = rules.arrays.values()
    rng = np.random.default_rng(0)
    classes = {"regression": None, "binary": ("no", "yes"), "multiclass": ("a", "b", "c")}[kind]
    if y is None:
        y = rng.normal(size=len(codes)) if classes is None else rng.integers(len(classes), size=len(codes))
    return Table(rng.normal(size=(len(codes), 2)), y, ("p", "q"), "y", classes, kind, "", rules=rules)


def parts_or_none(table: Table, folds: int, fraction: float, seed: int) -> Parts | None:
    """The parts, or None if the table is too small for them."""
    with suppress(InputError):
        return checked_parts(table, folds, fraction, seed)
    return None


@st.composite
def grouped(draw: st.DrawFn) -> Table:
    """A table of 4 to 30 groups of 1 to 40 rows."""
    sizes = draw(st.lists(st.integers(1, 40), min_size=4, max_size=30))
    rng = np.random.default_rng(draw(seeds))
    group = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return table_of(Rules(group=group), draw(st.sampled_from(["regression", "binary", "multiclass"])))


@steady
@given(grouped(), st.integers(1, 5), st.sampled_from([0.0, 0.2, 0.4]), seeds)
def test_no_group_lies_in_two_parts_and_all_rows_are_used(table: Table, folds: int, fraction: float, seed: int) -> None:
    parts = parts_or_none(table, folds, fraction, seed)
    assume(parts is not None)
    assert parts is not None
    group = table.rules.group
    assert group is not None
    assert_array_equal(np.sort(np.concatenate([parts.train, parts.test])), np.arange(len(group)))
    assert not np.intersect1d(group[parts.train], group[parts.test]).size
    judged = list(fresh_folds(table, parts.train, parts.folds, seed))
    for made in (parts.folds, *judged):
        for fit, held in made:
            assert not np.intersect1d(group[fit], group[held]).size
            assert_array_equal(np.sort(np.concatenate([fit, held])), parts.train)
            if table.classes is not None:
                assert len(np.unique(table.y[fit])) == len(table.classes)
    for made in (*judged, *([parts.folds] if folds > 1 else [])):
        assert_array_equal(np.sort(np.concatenate([held for _, held in made])), parts.train)


@steady
@given(grouped(), st.integers(1, 5), seeds)
def test_the_judgement_never_uses_a_split_twice(table: Table, folds: int, seed: int) -> None:
    parts = parts_or_none(table, folds, 0.2, seed)
    assume(parts is not None)
    assert parts is not None
    every = [parts.folds, *fresh_folds(table, parts.train, parts.folds, seed)]
    assert 2 <= len(every) <= 1 + REPEATS
    assert len({frozenset(held.tobytes() for _, held in made) for made in every}) == len(every)


def test_groups_keep_the_shares_of_rows_and_classes() -> None:
    rng = np.random.default_rng(1)
    sizes = rng.integers(5, 40, size=40)
    group, y = np.repeat(np.arange(40), sizes), np.repeat(np.arange(40) % 4 == 0, sizes).astype(np.int64)
    for table in (table_of(Rules(group=group)), table_of(Rules(group=group), "binary", y)):
        parts = checked_parts(table, 4, 0.2, 0)
        assert len(parts.test) / len(group) == pytest.approx(0.2, abs=0.03)
        assert all(len(held) / len(parts.train) == pytest.approx(0.25, abs=0.06) for _, held in parts.folds)
    assert y[parts.test].mean() == pytest.approx(y.mean(), abs=0.05)


def test_groups_of_one_row_each_are_split_quickly_and_by_the_seed() -> None:
    group = np.arange(MANY_GROUPS * 2)
    table = table_of(Rules(group=group), "binary")
    first, again, other = (checked_parts(table, 4, 0.2, seed) for seed in (0, 0, 1))
    assert_array_equal(first.test, again.test)
    assert [held.tolist() for _, held in first.folds] == [held.tolist() for _, held in again.folds]
    assert first.test.tolist() != other.test.tolist()


@st.composite
def timed(draw: st.DrawFn) -> Table:
    """A table of 12 to 200 rows in any order, with times of which some are equal."""
    rows = draw(st.integers(12, 200))
    rng = np.random.default_rng(draw(seeds))
    time = np.unique(rng.integers(draw(st.integers(1, 300)), size=rows), return_inverse=True)[1]
    return table_of(Rules(time=time), draw(st.sampled_from(["regression", "binary", "multiclass"])))


@steady
@given(timed(), st.integers(1, 6), st.sampled_from([0.0, 0.2, 0.4]), seeds)
def test_validation_and_test_rows_are_later_than_fitted_rows(
    table: Table, folds: int, fraction: float, seed: int
) -> None:
    parts = parts_or_none(table, folds, fraction, seed)
    assume(parts is not None)
    assert parts is not None
    time = table.rules.time
    assert time is not None
    assert_array_equal(np.sort(np.concatenate([parts.train, parts.test])), np.arange(len(time)))
    assert not len(parts.test) or time[parts.train].max() < time[parts.test].min()
    assert len(parts.test) >= len(time) * fraction
    assert len(parts.folds) == folds
    for made in (parts.folds, *fresh_folds(table, parts.train, parts.folds, seed)):
        assert_array_equal(np.sort(np.concatenate([made[0][0], *(held for _, held in made)])), parts.train)
        for fit, held in made:
            assert time[fit].max() < time[held].min()
            if table.classes is not None:
                assert len(np.unique(table.y[fit])) == len(table.classes)


def test_folds_in_time_are_those_of_sklearn() -> None:
    order = np.random.default_rng(0).permutation(103)  # the row of each time
    time = np.argsort(order)
    table = table_of(Rules(time=time))
    expected = [(np.sort(order[fit]), np.sort(order[held])) for fit, held in TimeSeriesSplit(4).split(order)]
    for (fit, held), (fit_too, held_too) in zip(expected, make_folds(table, np.arange(103), 4, 0), strict=True):
        assert_array_equal(fit, fit_too)
        assert_array_equal(held, held_too)
    ((fit, held),) = make_folds(table, np.arange(103), 1, 0)
    assert (len(fit), len(held)) == (103 - int(HOLD_OUT * 103), int(HOLD_OUT * 103))
    _, test = split(table, 0.2, 0)
    assert_array_equal(test, np.sort(order[-21:]))


def test_the_judgement_in_time_cuts_elsewhere() -> None:
    table = table_of(Rules(time=np.arange(100)))
    for folds in (4, FOLDS):
        used = make_folds(table, np.arange(100), folds, 0)
        counts = [len(made) for made in fresh_folds(table, np.arange(100), used, 0)]
        assert counts == [count for count in range(FOLDS, 9) if count != folds][:REPEATS]
    few = table_of(Rules(time=np.repeat(np.arange(3), 20)))
    used = make_folds(few, np.arange(60), 1, 0)
    assert len(list(fresh_folds(few, np.arange(60), used, 0))) == 1  # three times can be parted in one way


def test_a_class_that_comes_late_moves_the_first_border() -> None:
    y = np.array([0] * 50 + [1, 0] * 25)
    table = table_of(Rules(time=np.arange(100)), "binary", y)
    made = forward_folds(table, np.arange(100), np.arange(100), 4)
    assert [len(fit) for fit, _ in made] == [52, 64, 76, 88]
    assert forward_folds(replace(table, y=np.repeat([0, 1], [99, 1])), np.arange(100), np.arange(100), 4) == []


@st.composite
def given_parts(draw: st.DrawFn) -> Table:
    parts = draw(st.lists(st.integers(TEST, 4), min_size=20, max_size=80))
    numbers = {code: i for i, code in enumerate(sorted({part for part in parts if part >= 0}))}
    part = np.array([numbers.get(code, code) for code in parts])
    assume((part == TEST).any())
    return table_of(Rules(part=part), draw(st.sampled_from(["regression", "binary"])))


@steady
@given(given_parts(), st.integers(1, 4), seeds)
def test_given_parts_are_kept(table: Table, folds: int, seed: int) -> None:
    parts = parts_or_none(table, folds, 0.2, seed)
    assume(parts is not None)
    assert parts is not None
    part = table.rules.part
    assert part is not None
    assert_array_equal(parts.test, np.flatnonzero(part == TEST))
    assert_array_equal(parts.train, np.flatnonzero(part != TEST))
    count = part.max() + 1
    if count > 0:
        assert [held.tolist() for _, held in parts.folds] == [np.flatnonzero(part == k).tolist() for k in range(count)]
        for fit, held in parts.folds:
            assert_array_equal(np.sort(np.concatenate([fit, held])), parts.train)
    else:
        assert len(parts.folds) == folds
    for made in fresh_folds(table, parts.train, parts.folds, seed):
        assert_array_equal(np.sort(np.concatenate([held for _, held in made])), parts.train)


def test_given_parts_and_groups_are_judged_in_whole_groups() -> None:
    group = np.repeat(np.arange(20), 5)
    part = np.repeat(np.arange(20) % 5 - 2, 5)  # test, train, and three folds
    table = table_of(Rules(group=group, part=part))
    parts = checked_parts(table, 4, 0.2, 0)
    assert len(parts.folds) == 3
    judged = list(fresh_folds(table, parts.train, parts.folds, 0))
    assert [len(made) for made in judged] == [FOLDS] * REPEATS
    for fit, held in (pair for made in judged for pair in made):
        assert not np.intersect1d(group[fit], group[held]).size


EARLY = np.array([0, 1] * 5 + [0] * 90)
LATE = np.array([0] * 90 + [1, 0] * 5)
# The rules, the classes (None for a regression), folds, the share of the test, and what the message must hold.
REFUSED = [
    (Rules(group=np.arange(100) % 4), None, 4, 0.2, ["data.group: 4 groups leave 3", "search.folds = 4", "at least 4"]),
    (Rules(group=np.arange(100) % 3), None, 2, 0.2, ["leave 2 to train and 1 to test", "at least 3"]),
    (Rules(group=np.arange(100) % 2), None, 2, 0.0, ["2 groups are there to train", "at least 3"]),
    (Rules(group=np.arange(100) // 10), LATE, 4, 0.2, ["class 'yes' lies in one group only", "at least 2"]),
    (
        Rules(time=np.arange(100) // 50),
        None,
        4,
        0.2,
        ["data.time: 0 of search.folds = 4", "50 training rows (different times: 1)"],
    ),
    (Rules(time=np.arange(100) // 25), None, 4, 0.2, ["2 of search.folds = 4", "different times: 3"]),
    (Rules(time=np.arange(100)), LATE, 4, 0.2, ["data.time: 0 rows of class 'yes' are left to train", "test_fraction"]),
    (Rules(time=np.arange(100)), EARLY, 4, 0.2, ["data.time: class 'yes' is missing in the validation rows"]),
    (Rules(part=np.arange(100) // 20 - 2), EARLY, 4, 0.2, ["data.split: 0 rows of class 'yes' are left to train"]),
    (Rules(part=np.where(np.arange(100) < 20, TRAIN, TEST)), EARLY, 6, 0.2, ["5 rows of class 'yes'", "at least 6"]),
    (Rules(part=np.where(np.arange(100) < 98, TEST, TRAIN)), None, 4, 0.2, ["98 to test", "at least 8 and 2"]),
    (Rules(part=np.arange(100) // 20 - 2), LATE, 4, 0.2, ["class 'yes' is missing in the training rows of fold 2"]),
]


@pytest.mark.parametrize(("rules", "y", "folds", "fraction", "fragments"), REFUSED)
def test_too_few_for_the_parts_is_refused_in_one_line(
    rules: Rules, y: np.ndarray | None, folds: int, fraction: float, fragments: list[str]
) -> None:
    table = table_of(rules, "regression" if y is None else "binary", y)
    with pytest.raises(InputError) as caught:
        checked_parts(table, folds, fraction, 0)
    assert "\n" not in str(caught.value)
    for fragment in fragments:
        assert fragment in str(caught.value)
