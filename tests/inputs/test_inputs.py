"""Columns and their encoders: what each makes of its cells, and what it refuses."""

from __future__ import annotations

import math
import unicodedata
import warnings
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder

from neuraltree.inputs.column_choice import choose, choose_all, kind_of
from neuraltree.inputs.encoders import ENCODERS, Category, Column, Flag, Number, Ordinal, Time
from neuraltree.inputs.encoding import doubts, encode, feature_names
from neuraltree.inputs.frames import cells, columns_of, declared, is_rows
from neuraltree.inputs.times import ISO, form_of, parse

NAN = math.nan
JANUARY = datetime(2026, 1, 5, 6, 30)  # a Monday
START = (datetime(2026, 1, 5) - datetime(1970, 1, 1)).total_seconds()
YEAR = 365.2425 * 86_400

# One or more columns of each encoder: the column, cells, the names of its features, and their values by hand.
ROWS: list[tuple[Column, list[Any], tuple[str, ...], list[list[float]]]] = [
    (Number("a"), [1.5, 2, -3], ("a",), [[1.5], [2], [-3]]),
    (Number("a", 7.0), [1.5, None], ("a",), [[1.5], [7]]),
    (Number("a", 7.0, indicator=True), ["1e3", None], ("a", "a is missing"), [[1000, 0], [7, 1]]),
    (Flag("f", 0.25), ["Ja", "no", True, 0, None], ("f",), [[1], [0], [1], [0], [0.25]]),
    (
        Category("c", ("1", "x")),
        [1, 1.0, "x ", "other", None],
        ("c=1", "c=x"),
        [[1, 0], [1, 0], [0, 1], [0, 0], [0, 0]],
    ),
    (Category("c", ("m", "f"), complete=True), ["m", "f", "?"], ("c=f",), [[0], [1], [0]]),
    (
        Category("c", ("m", "f"), complete=True, missing=True),
        ["m", None],
        ("c=m", "c=f", "c is missing"),
        [[1, 0, 0], [0, 0, 1]],
    ),
    (Ordinal("o", ("low", "mid", "high"), 1.2), ["high", "low", None], ("o",), [[2], [0], [1.2]]),
    (Time("t", START), [JANUARY, date(2026, 1, 6), "2026-01-05T00:00:01"], ("t",), [[23_400], [86_400], [1]]),
    (
        Time("t", START, parts=("hour", "month"), fill=5.0),
        [JANUARY, None],
        ("t", "t hour sin", "t hour cos", "t month sin", "t month cos"),
        [
            [
                23_400,
                math.sin(2 * math.pi * 6.5 / 24),
                math.cos(2 * math.pi * 6.5 / 24),
                math.sin(2 * math.pi * (4 * 86_400 + 23_400) / YEAR),
                math.cos(2 * math.pi * (4 * 86_400 + 23_400) / YEAR),
            ],
            [5, 0, 0, 0, 0],
        ],
    ),
]


@pytest.mark.parametrize(("column", "given_cells", "names", "wanted"), ROWS)
def test_an_encoder_makes_these_features(
    column: Column, given_cells: list[Any], names: tuple[str, ...], wanted: list[list[float]]
) -> None:
    assert feature_names([column]) == names
    made = encode([column], {column.name: given_cells})
    np.testing.assert_allclose(made, wanted, atol=1e-12)


def test_every_encoder_has_a_row() -> None:
    assert {type(column) for column, *_ in ROWS} == set(ENCODERS.values())


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        (Number("a"), "12 kg", "column 'a', row 1 from 0: '12 kg'; allowed: numbers"),
        (Number("a"), NAN, "column 'a', row 1 from 0: the cell is missing"),
        (Number("a"), math.inf, "column 'a', row 1 from 0: the cell is infinite"),
        (Flag("a"), "perhaps", "'perhaps'; allowed: true, false"),
        (Ordinal("a", ("low", "high")), "middle", "'middle'; allowed: low, high"),
        (Time("a", START), "5.1.2026", "'5.1.2026'; allowed: times, in texts as ISO 8601"),
        (Time("a", START), 7, "7; allowed: times"),
    ],
)
def test_a_cell_that_a_column_cannot_have_is_named(column: Column, cell: Any, message: str) -> None:
    fine = {"Number": 1.0, "Flag": "yes", "Ordinal": "low", "Time": "2026-01-05"}[type(column).__name__]
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        encode([column], {"a": [fine, cell]})


@given(st.lists(st.one_of(st.none(), st.sampled_from("abcdef")), min_size=30, max_size=60), st.data())
def test_categories_are_those_of_one_hot_encoding(texts: list[str | None], data: st.DataObject) -> None:
    if not any(texts.count(letter) > 1 for letter in "abcdef"):
        return
    column = choose("c", cells(texts), "category", "mean", indicator=False)
    assert isinstance(column, Category)
    later = np.array(data.draw(st.lists(st.sampled_from("abcdefxyz"), min_size=1, max_size=9)), dtype=object)
    encoder = OneHotEncoder(
        categories=[list(column.levels)],
        handle_unknown="ignore",
        sparse_output=False,
        drop=[column.levels[0]] if len(column.features) == 1 and len(column.levels) == 2 else None,
    )
    with warnings.catch_warnings(action="ignore"):  # of unknown levels beside a dropped one
        wanted = encoder.fit(np.array(column.levels, dtype=object)[:, None]).transform(later[:, None])
    np.testing.assert_array_equal(encode([column], {"c": later})[:, : wanted.shape[1]], wanted)


@pytest.mark.parametrize("missing", ["mean", "median"])
@given(st.lists(st.one_of(st.just(NAN), st.floats(-1e6, 1e6)), min_size=2, max_size=20))
def test_holes_are_those_of_an_imputer(missing: Any, numbers: list[float]) -> None:
    if all(math.isnan(number) for number in numbers):
        return
    column = choose("a", np.array(numbers), None, missing, indicator=True)
    wanted = SimpleImputer(strategy=missing, add_indicator=True).fit_transform(np.array(numbers)[:, None])
    np.testing.assert_allclose(encode([column], {"a": numbers}), wanted, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ([1, 2, 3], "number"),
        ([1, None, 3.5], "number"),
        ([True, False], "boolean"),
        ([True, None], "boolean"),
        (["y", "N"], "boolean"),
        (["0", "1"], "boolean"),
        (["m", "f"], "category"),
        (["yes", "f"], "category"),
        (["20260101", "20260102"], "number"),
        ([np.float32(1.5), np.int64(2), "3e5", None], "number"),
        (["007", "013"], "category"),
        (["2026-01-01", "2026-02-01 10:00"], "time"),
        (["31.12.2026", "01.02.2026"], "time"),
        (["12/31/2026"], "time"),
        (["11/12/2026"], "category"),  # day or month first?
        ([datetime(2026, 1, 1, tzinfo=UTC), None], "time"),
        (np.array(["2026-01-01", "NaT"], dtype="datetime64[D]"), "time"),
    ],
)
def test_the_cells_say_what_a_column_is(column: Any, kind: str) -> None:
    assert kind_of(cells(column)) == kind


def test_rare_levels_are_other_and_a_column_of_names_is_refused() -> None:
    texts = ["a"] * 500 + ["b"] * 480 + ["c"] * 9 + [None] * 11
    column = choose("c", cells(texts), None, "mean", indicator=False)
    assert column == Category("c", ("a", "b"), complete=False, missing=True)
    with pytest.raises(ValueError, match="'who' has 200 different texts, none of them in 2 rows"):
        choose("who", cells([f"name {i}" for i in range(200)]), None, "mean", indicator=False)
    with pytest.raises(ValueError, match="has no cell that is not missing"):
        choose("empty", cells([None, NAN]), None, "mean", indicator=False)


@pytest.mark.parametrize("asked", ["numbers", "time minute", "category hour", ["one"], ["a", "a"], ""])
def test_an_unknown_encoder_is_refused(asked: Any) -> None:
    with pytest.raises(ValueError, match="column 'c'"):
        choose("c", cells(["a", "b"]), asked, "mean", indicator=False)


def test_two_features_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="'a=b=c'; rename one"):
        choose_all({"a": cells(["b=c", "d", "e"] * 3), "a=b": cells(["c", "e", "f"] * 3)}, {})


@pytest.mark.parametrize("library", ["pandas", "polars", "mapping", "rows"])
def test_a_frame_of_any_library_has_the_same_columns(library: str) -> None:
    columns = {
        "number": [1.0, None, 3.0],
        "whole": [1, 2, None],
        "flag": [True, False, None],
        "text": ["x", None, "z"],
        "time": [JANUARY, None, JANUARY + timedelta(days=1)],
    }
    wanted = columns_of(columns)
    frame: Any = columns
    if library == "rows":
        frame = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        assert is_rows(frame)
    elif library != "mapping":
        frame = pytest.importorskip(library).DataFrame(columns)
    found = columns_of(frame)
    assert list(found) == list(wanted)
    for name, column in wanted.items():
        assert found[name].dtype.kind == column.dtype.kind
        np.testing.assert_array_equal(found[name], column)


def test_types_of_pandas_say_what_a_column_is() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "size": pandas.Categorical(["s", "l", None, "m"], categories=["s", "m", "l"], ordered=True),
            "code": pandas.Categorical([3, 4, 3, 4]),
            "count": pandas.array([1, None, 3, 2], dtype="Int64"),
            "at": pandas.to_datetime(["2026-01-05 07:30+01:00"] * 4, utc=False),
        }
    )
    assert declared(frame) == {"size": ["s", "m", "l"], "code": "category"}
    columns = choose_all(columns_of(frame), declared(frame))
    assert [type(column) for column in columns] == [Ordinal, Category, Number, Time]
    assert columns[3] == Time("at", START, fill=23_400.0, low=23_400.0, high=23_400.0)
    wanted = [[0, 0, 1, 23_400], [2, 1, 2, 23_400], [1, 0, 3, 23_400], [1, 1, 2, 23_400]]
    np.testing.assert_array_equal(encode(columns, frame), wanted)


def test_columns_are_found_by_name_and_a_lacking_one_is_named() -> None:
    columns = [Number("b"), Number("a")]
    np.testing.assert_array_equal(encode(columns, {"a": [1], "c": ["?"], "b": [2]}), [[2, 1]])
    np.testing.assert_array_equal(encode(columns, np.array([[2, 1]], dtype=object)), [[2, 1]])
    with pytest.raises(ValueError, match="there is no column 'a'; there are b, c"):
        encode(columns, {"b": [2], "c": [3]})
    with pytest.raises(ValueError, match="different lengths"):
        encode(columns, {"a": [1, 2], "b": [2]})
    with pytest.raises(ValueError, match=r"shape \(1, 3\); it must be \(rows, 2\)"):
        encode(columns, np.zeros((1, 3), dtype=object))


def test_times_have_one_form_and_no_zone() -> None:
    assert form_of(["2026-01-05T07:30+01:00"]) == ISO
    assert parse("2026-01-05T07:30+01:00", ISO) == JANUARY
    assert form_of(["2026-01-05", "5.1.2026"]) == ""
    there = np.array([JANUARY.replace(tzinfo=timezone(timedelta(0)))], dtype=object)
    assert Time("t", START).numbers(there).tolist() == [23_400]


def test_texts_that_mean_the_same_are_one_level() -> None:
    column = Category("größe", ("1", "Dörte"))
    nfd = unicodedata.normalize("NFD", "größe")
    found = encode([column], {nfd: ["1.0", "01", 1, unicodedata.normalize("NFD", "Dörte"), " "]})
    np.testing.assert_array_equal(found, [[1, 0], [1, 0], [1, 0], [0, 1], [0, 0]])
    assert Category("a", ("01",)).numbers(np.array(["01", "1"], dtype=object)).tolist() == [0.0, 1.0]
    assert Flag("a").numbers(np.array(["1.0", "0.0"], dtype=object)).tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("texts", "fault"),
    [
        (["2026-01-05", "2026-01-06", "unknown"], "'unknown' is no time like '2026-01-0"),
        (["05/06/2024", "07/08/2024"], "day and month cannot be told apart, as in '05/06/2024'"),
        (["a", "b"], "'a' is no time, as 2026-11-30"),
    ],
)
def test_what_is_wrong_with_times_is_told(texts: list[str], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        choose("at", cells(texts), "time", "mean", indicator=False)


def test_doubts_name_what_no_row_had() -> None:
    learned = {"n": [1.0, 2.0], "c": ["a", "a"], "t": [JANUARY, JANUARY + timedelta(1)]}
    columns = choose_all(columns_of(learned), {})
    rows = {"n": [1.5, 3, None], "c": ["a", "a", "z"], "t": [JANUARY, JANUARY, JANUARY + timedelta(9)]}
    assert doubts(columns, rows) == ["", "n is 3.0; seen: 1 to 2", "c is z; seen: a"]
    late = doubts(columns, {"n": [1], "c": ["a"], "t": [JANUARY + timedelta(9)]})
    assert late[0].endswith("seen: 2026-01-05 06:30:00 UTC to 2026-01-06 06:30:00 UTC")


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (Time("t", 1e300), "its start must be within"),
        (Number("n", high=math.inf), "its numbers must be finite"),
        (Number("n", low=2.0, high=1.0), "its smallest number must not be above its largest"),
        (Category("c", ("a", "a")), "its levels must differ"),
        (Time("t", 0.0, "%Y"), "form '%Y'; allowed: ISO 8601"),
    ],
)
def test_constants_that_no_column_can_have_are_refused(column: Column, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        column.check()


def test_a_name_that_no_row_has_is_lacking() -> None:
    with pytest.raises(ValueError, match="there is no column 'a'; there are b"):
        encode([Number("a", 1.0)], [{"b": 1}, {"b": 2}])
    np.testing.assert_array_equal(encode([Number("a", 1.0)], [{"a": 5}, {"b": 2}]), [[5], [1]])


@pytest.mark.parametrize(("column", "doubt"), [(Number("n"), "n is nan; seen: numbers"), (Number("n", 0.0), "")])
def test_a_hole_is_doubted_where_nothing_stands_in_for_it(column: Column, doubt: str) -> None:
    assert doubts([column], {"n": [1.0, None]}) == ["", doubt]
