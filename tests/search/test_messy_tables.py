"""Tables as people have them: what becomes of each fault, what is said of it, and runs on them."""

from __future__ import annotations

import csv
import gzip
import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from neuraltree.inputs.encoders import Category, Flag, Number, Ordinal, Time
from neuraltree.tree.model_files import load
from search.compressing.model_rows import table_for
from search.config.config import config_hash, config_of, load_config
from search.config.settings import Config, DataConfig, TaskConfig
from search.errors import InputError
from search.front import load_front
from search.run import main
from search.table import load_table, split
from search.table.data import Table
from search.table.suspects import NEARLY
from tests.helpers.random_models import regression

ROWS = 40
IRIS_HASH = "8ab02ece2917713786ba87112aac41cc66814082e56176af4ac7f10d4753dd2b"
CREDIT = Path(__file__).parents[3] / "shared" / "data" / "uci" / "credit-g.csv"


def text(separator: str = ",", **columns: Any) -> str:
    """A table with the number feature p and the target y, and between them the columns: a cell for each row, or a
    function of its number."""
    made = {"p": lambda i: i * 17 % 41, **columns, "y": lambda i: f"{i * 7 % 11}.5"}
    rows = [
        separator.join(str(cell(i) if callable(cell) else cell[i % len(cell)]) for cell in made.values())
        for i in range(ROWS)
    ]
    return "\n".join([separator.join(made), *rows])


def holed(cell: Callable[[int], object], *holes: int, hole: str = "") -> Callable[[int], object]:
    return lambda i: hole if i in holes else cell(i)


class Case(NamedTuple):
    """A file, keys of [data], the features besides p, and fragments of notes, a list for each note."""

    name: str
    content: str | bytes
    features: tuple[str, ...]
    notes: tuple[tuple[str, ...], ...] = ()
    data: dict[str, Any] = {}  # noqa: RUF012 - never changed


CASES = [
    Case("numbers", text(q=lambda i: i % 5), ("q",)),
    Case("holes", text(q=holed(lambda i: i % 5, 3, 4)), ("q",), (("2 missing cells in 'q'", "the mean"),)),
    Case(
        "holes with an indicator",
        text(q=holed(lambda i: i % 5, *range(8))),
        ("q", "q is missing"),
        (("8 missing cells in 'q'", "the median"),),
        {"missing": "median", "missing_indicator": True},
    ),
    Case("category", text(q=["a", "b", "c"]), ("q=a", "q=b", "q=c")),
    Case("category of two", text(q=["a", "b"]), ("q=b",)),
    Case("flags", text(q=["yes", "No"]), ("q",)),
    Case("flags as Python writes them", text(q=["True", "False"]), ("q",)),
    Case(
        "numbers that are a category",
        text(q=["3", "1.0", "2"]),
        ("q=1", "q=2", "q=3"),
        (),
        {"columns": {"q": "category"}},
    ),
    Case("codes with zeros", text(q=["01", "02"]), ("q=02",), (), {"columns": {"q": "category"}}),
    Case("levels in order", text(q=["s", "m", "l"]), ("q",), (), {"columns": {"q": ("s", "m", "l")}}),
    Case("dates", text(q=lambda i: f"2026-01-{1 + i % 28:02d}"), ("q",)),
    Case(
        "hours",
        text(q=lambda i: f"2026-01-05 {i % 24:02d}:00"),
        ("q", "q hour sin", "q hour cos"),
        (),
        {"columns": {"q": "time hour"}},
    ),
    Case("constant", text(q=["7"], r=["x"]), (), (("2 columns left out, constant: 'q', 'r'",),)),
    Case("constant with a hole", text(q=holed(lambda i: 7, 3)), (), (("1 column left out, constant: 'q'",),)),
    Case("all missing", text(q=[""]), (), (("1 column left out, constant: 'q'",),)),
    Case(
        "names of rows", text(q=lambda i: f"name {i}"), (), (("'q' left out: 32 different texts in 32 training rows",),)
    ),
    Case("row numbers", text(q=lambda i: 100 + i), ("q",), (("'q' looks like row numbers", 'drop = ["q"]'),)),
    Case(
        "row numbers without a name",
        "\n".join(f"{i - 1 if i else ''},{line}" for i, line in enumerate(text().splitlines())),
        (),
        (("1 column left out, row numbers without a name: 'x0'",),),
    ),
    Case(
        "two columns of one name",
        text(q=lambda i: i % 5, r=lambda i: i % 3).replace("q,r", "q,q"),
        ("q", "q_2"),
        (("columns of one name are numbered: 'q'",),),
    ),
    Case(
        "few texts among numbers",
        text(q=holed(lambda i: i % 5, 3, 7, hole="n.d.")),
        ("q",),
        (("line 5, column 'q': 'n.d.' is not a number", "2 in all, count as missing"), ("2 missing cells",)),
    ),
    Case(
        "texts among numbers",
        text(q=lambda i: "low" if i % 4 == 0 else i % 5),
        ("q=0", "q=1", "q=2", "q=3", "q=4", "q=low"),
        (
            (
                "column 'q' is not read as numbers: 10 of its 40 cells are none, such as 'low'",
                'columns = {"q" = "number"}',
            ),
        ),
    ),
    Case(
        "texts that are no numbers, on request",
        text(q=lambda i: "low" if i % 4 == 0 else i % 5),
        ("q",),
        (("'low' is not a number",), ("10 missing cells in 'q'",)),
        {"columns": {"q": "number"}},
    ),
    Case(
        "mostly missing",
        text(q=holed(lambda i: i, *range(1, 39))),
        ("q",),
        (("38 missing cells",), ("more than 90 % of the cells are missing in 'q'", 'drop = ["q"]')),
    ),
    Case(
        "the target as a feature",
        text(q=lambda i: i * 7 % 11),
        ("q",),
        (("the target can be told from 'q' alone", 'drop = ["q"]'),),
    ),
    Case("decimal commas", text(";", q=lambda i: f"{i % 5},5"), ("q",)),
    Case(
        "decimal commas and points of thousands",
        text("\t", q=lambda i: f"1.00{i % 5},5"),
        ("q",),
        (),
        {"thousands": "."},
    ),
    Case(
        "thousands",
        text(q=lambda i: f'"1,00{i % 5}"'),
        ("q",),
        (),
        {"thousands": ","},
    ),
    Case(
        "thousands that nobody told of",
        text(q=lambda i: f'"1,00{i % 2}"'),
        ("q=1,001",),
        (("texts such as '1,000'; to read them as numbers: thousands = \",\"",),),
    ),
    Case(
        "thousands with narrow spaces that nobody told of",
        text(q=lambda i: f"1\u202f00{i % 2}"),
        ("q=1\u202f001",),
        (('to read them as numbers: thousands = "\\u202f"',),),
    ),
    Case("per cent", text(q=lambda i: f"{i % 5} %"), ("q",), (), {"percent": True}),
    Case(
        "per cent that nobody told of",
        text(q=lambda i: f"{i % 2}%"),
        ("q=1%",),
        (("texts such as '0%'; to read them as numbers: percent = true",),),
    ),
    Case("bars", text("|", q=["a", "b"]), ("q=b",)),
    Case("a line for Excel", "sep=;\n" + text(";", q=["a,1", "b"]), ("q=b",)),
    Case("a line for Excel, in quotes", '"sep=|"\n' + text("|", q=["a;1", "b"]), ("q=b",)),
    Case("a mark", b"\xef\xbb\xbf" + text(q=["é", "b"]).encode(), ("q=é",)),
    Case("UTF-16", text(q=["é", "b"]).encode("utf-16"), ("q=é",)),
    Case("Windows", text(q=["€", "b"]).encode("cp1252"), ("q=€",), (("is no UTF-8; read as Windows-1252",),)),
    Case("Latin-1", text(q=["é", "b"]).encode("latin-1"), ("q=é",), (("is no UTF-8; read as Latin-1",),)),
    Case("separators in quotes", text(q=['"a,b"', '"c ""d"""']), ('q=c "d"',)),
    Case("line ends in quotes", text(q=['"a\nb"', "c"]), ("q=c",)),
    Case("rows twice", text() + "\n50,1.5\n50,1.5", (), (("rows that repeat another row: 1",),)),
]


def loaded(path: Path, **data: Any) -> Table:
    return load_table(Config(DataConfig(source=str(path), **data)))


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_fault_is_mended_and_told(tmp_path: Path, case: Case) -> None:
    table = loaded(written(tmp_path / "t.csv", case.content), **case.data)
    assert table.features == ("p", *case.features)
    assert np.isfinite(table.X).all()
    told = [note for note in table.notes if "features of a training row" not in note]
    assert len(told) == len(case.notes), told
    for note, fragments in zip(told, case.notes, strict=True):
        for fragment in fragments:
            assert fragment in note


VALUES: list[tuple[str, dict[str, Any], list[float]]] = [
    (text(";", q=lambda i: f"{i},5"), {}, [i + 0.5 for i in range(ROWS)]),
    (text("\t", q=lambda i: f"-1.00{i % 5},5"), {"thousands": "."}, [-1000.5 - i % 5 for i in range(ROWS)]),
    (text(q=lambda i: f"12'34{i % 5}.5"), {"thousands": "'"}, [12340.5 + i % 5 for i in range(ROWS)]),
    (text(q=lambda i: f'"{i},5"'), {"decimal": ","}, [i + 0.5 for i in range(ROWS)]),
    (text(q=lambda i: f"{i} %"), {"percent": True}, [i / 100 for i in range(ROWS)]),
    (text(q=["Yes", "no"]), {}, [1.0, 0.0] * (ROWS // 2)),
    (text(q=["s", "l"]), {"columns": {"q": ("s", "m", "l")}}, [0.0, 2.0] * (ROWS // 2)),
]


@pytest.mark.parametrize(("content", "data", "expected"), VALUES)
def test_cells_have_their_numbers(tmp_path: Path, content: str, data: dict[str, Any], expected: list[float]) -> None:
    assert_allclose(loaded(written(tmp_path / "t.csv", content), **data).X[:, 1], expected, rtol=1e-15)


@pytest.mark.parametrize("named", [True, False])
def test_numbers_with_commas_tell_a_header(tmp_path: Path, named: bool) -> None:
    rows = text(";", p=lambda i: f"{i * 17 % 41},5", q=lambda i: f"{i % 5},25").replace(".5", ",5").splitlines()
    table = loaded(written(tmp_path / "t.csv", "\n".join(rows if named else rows[1:])))
    assert (table.features, len(table.y)) == (("p", "q") if named else ("x0", "x1"), ROWS)
    assert table.y.tolist() == [i * 7 % 11 + 0.5 for i in range(ROWS)]


def of_target(cell: Callable[[int], str], separator: str = ",") -> str:
    """A table of the number feature p and a target with these cells."""
    return "\n".join([f"p{separator}y", *(f"{i * 17 % 41}{separator}{cell(i)}" for i in range(ROWS))])


TARGETS: list[tuple[str, dict[str, Any], list[float]]] = [
    (of_target(lambda i: f"{i},25", ";"), {}, [i + 0.25 for i in range(ROWS)]),
    (of_target(lambda i: f"-1.0{i:02d},5", "\t"), {"thousands": "."}, [-1000.5 - i for i in range(ROWS)]),
    (of_target(lambda i: f"1.0{i:02d}", ";"), {"thousands": "."}, [1000.0 + i for i in range(ROWS)]),
    (of_target(lambda i: f'"{i},5"'), {"decimal": ","}, [i + 0.5 for i in range(ROWS)]),
    (of_target(lambda i: f'"1,0{i:02d}"'), {"thousands": ","}, [1000.0 + i for i in range(ROWS)]),
    (of_target(lambda i: f"{i} %"), {"percent": True}, [i / 100 for i in range(ROWS)]),
]


@pytest.mark.parametrize(("content", "data", "expected"), TARGETS)
def test_a_target_has_its_numbers(tmp_path: Path, content: str, data: dict[str, Any], expected: list[float]) -> None:
    table = loaded(written(tmp_path / "t.csv", content), **data)
    assert table.kind == "regression"
    assert_allclose(table.y, expected, rtol=1e-15)


def test_a_target_keeps_its_texts_and_its_holes(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", of_target(lambda i: "1,5" if i % 2 else "low", ";"))
    assert loaded(path).classes == ("1,5", "low")
    table = loaded(written(path, of_target(holed(lambda i: f"{i},5", 3, hole="NA"), ";")))
    assert_array_equal(table.y, [i + 0.5 for i in range(ROWS) if i != 3])
    written(path, of_target(holed(lambda i: f"{i},5", 3, hole="n.d."), ";"))
    with pytest.raises(InputError, match=r"line 5, column 'y': 'n\.d\.' is not a number"):
        loaded(path)
    written(path, of_target(lambda i: f"{i}.5" if i == 3 else f"{i},5", ";"))
    with pytest.raises(InputError, match=r"a decimal comma, '0,5', and with a decimal point, '3\.5', line 5"):
        loaded(path)


def test_a_target_of_texts_tells_what_makes_numbers_of_them(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", of_target(lambda i: f'"1,0{i:02d}"'))
    with pytest.raises(InputError, match=r'one row only, .* for a number to predict, set data.thousands = ","'):
        loaded(path)
    with pytest.raises(InputError, match=r"'1,000' is not a number.* set data.thousands = "):
        load_table(Config(DataConfig(str(path)), task=TaskConfig(kind="regression")))


def test_weights_with_a_decimal_comma(tmp_path: Path) -> None:
    rows = [f"{i * i % 13};{i},5;{i + 0.5}" for i in range(20)]
    path = written(tmp_path / "t.csv", "\n".join(["p;w;y", *rows]))
    assert_array_equal(loaded(path, weight="w").weight, [i + 0.5 for i in range(20)])
    written(path, "\n".join(["p;w;y", *rows, "1;2.5;3"]))
    with pytest.raises(InputError, match="column 'w' has numbers with a decimal comma"):
        loaded(path, weight="w")


def test_a_category_of_rare_levels_is_told(tmp_path: Path) -> None:
    """For example amounts with a unit: most rows would have no feature."""
    path = written(tmp_path / "t.csv", text(q=lambda i: f"{i // 2 if i < 20 else i} EUR"))
    table = loaded(path)
    levels = sum(name.startswith("q=") for name in table.features)
    others = np.count_nonzero(table.X[split(table, 0.2, 0)[0], 1 : 1 + levels].sum(axis=1) == 0)
    (note,) = [note for note in table.notes if "are rare" in note]
    assert f"in 32 training rows, {others} of which have none of its {levels} levels" in note
    assert not [note for note in loaded(written(path, text(q=["a", "b", "c"]))).notes if "are rare" in note]


@pytest.mark.parametrize("missing", ["mean", "median"])
def test_holes_are_filled_from_training_rows_alone(tmp_path: Path, missing: str) -> None:
    path = written(tmp_path / "t.csv", text(q=holed(lambda i: 2**i, *range(0, 40, 3))))
    config = Config(DataConfig(str(path), missing=missing))  # type: ignore[arg-type]
    table = load_table(config)
    train, _ = split(table, config.data.test_fraction, config.run.seed)
    known = [2.0**i for i in train.tolist() if i % 3]
    reduce_of = {"mean": np.mean, "median": np.median}
    fill = reduce_of[missing](known)
    assert_array_equal(table.X[:, 1], [fill if i % 3 == 0 else 2.0**i for i in range(ROWS)])
    known_p = table.X[train, 0]
    assert table.columns == (
        Number("p", float(reduce_of[missing](known_p)), low=min(known_p), high=max(known_p)),
        Number("q", fill, low=min(known), high=max(known)),
    )


def test_a_hole_among_test_rows_alone_is_filled(tmp_path: Path) -> None:
    plain = loaded(written(tmp_path / "t.csv", text(q=lambda i: i % 5)))
    train, test = split(plain, 0.2, 0)
    row = int(test[0])
    table = loaded(
        written(
            tmp_path / "h.csv",
            text(q=holed(lambda i: i % 5, row), r=holed(lambda i: "no", *train[::2].tolist(), hole="yes")),
        ),
        missing_indicator=True,
    )
    assert table.features == ("p", "q", "r")
    assert table.X[row, 1] == np.mean([i % 5 for i in train.tolist()])


def test_the_encoders_of_all_kinds(tmp_path: Path) -> None:
    path = written(
        tmp_path / "t.csv",
        text(a=["u", "v", "w"], b=["yes", "no"], c=["s", "l"], d=lambda i: f"2026-02-{1 + i % 28:02d}"),
    )
    table = loaded(path, columns={"c": ("s", "l")})
    assert [type(column) for column in table.columns or ()] == [Number, Category, Flag, Ordinal, Time]
    assert table.columns
    assert table.columns[1] == Category("a", ("u", "v", "w"), complete=True)
    # What stands in for a hole, which a later row may have; and what was seen.
    train, _ = split(table, 0.2, 0)
    means = table.X[train].mean(axis=0)
    features = dict(zip(table.features, means.tolist(), strict=True))
    assert_allclose([column.fill for column in table.columns if hasattr(column, "fill")], [features[n] for n in "pbcd"])
    assert (table.columns[0].seen.low, table.columns[0].seen.high) == (table.X[train, 0].min(), table.X[train, 0].max())


@pytest.mark.parametrize("row", [0, 1, 7, 20, 33, 39])
def test_a_time_that_is_none_is_named_in_any_row(tmp_path: Path, row: int) -> None:
    """Training rows tell the form; a test row may have another."""
    lines = text(when=lambda i: "unknown" if i == row else f"2026-01-{1 + i % 28:02d}")
    with pytest.raises(InputError, match=r"t\.csv: column 'when'.*'unknown'"):
        loaded(written(tmp_path / "t.csv", lines), columns={"when": "time"})


def test_rows_without_a_target_are_left_out_with_all_that_belongs_to_them(tmp_path: Path) -> None:
    rows = [f"{i * i % 13},{i},g{i % 4},{'' if i in (3, 5) else i + 0.5}" for i in range(20)]
    path = written(tmp_path / "t.csv", "\n".join(["p,w,g,y", *rows]))
    table = loaded(path, weight="w", group="g")
    kept = [i for i in range(20) if i not in (3, 5)]
    assert_array_equal(table.y, [i + 0.5 for i in kept])
    assert_array_equal(table.weight, kept)
    assert_array_equal(table.rules.group, [i % 4 for i in kept])
    assert table.notes[0] == "2 rows, the first of them line 5, are left out: the target 'y' is missing"
    with pytest.raises(InputError, match="line 24, column 'p': inf"):
        loaded(written(path, path.read_text() + "\n1,1,g0,?\n1,1,g0,1\ninf,1,g0,1"))


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    path = written(
        tmp_path / "t.csv", text(q=holed(lambda i: i, 3, hole="inf"), r=lambda i: f"{i}e31", s=["a", "b"], w=["-1"])
    )
    with pytest.raises(InputError) as caught:
        loaded(path, weight="w", columns={"s": "number", "q": "category"}, target="p")
    problems = caught.value.problems
    assert [[fragment in problem for fragment in ("1e+31 is beyond", "-1 is no weight")] for problem in problems] == [
        [True, False],
        [False, True],
    ]
    with pytest.raises(InputError) as caught:
        loaded(path, weight="v", target="z", drop=("u", "p"), columns={"t": "number"})
    names = [
        "data.target has no column 'z'",
        "data.weight has no column 'v'",
        "data.drop has no",
        "data.columns has no",
    ]
    assert [name in problem for name, problem in zip(names, caught.value.problems, strict=True)] == [True] * 4


def test_the_lines_of_an_error_and_of_a_note_are_toml(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each mend of the note on texts makes numbers of them."""
    path = written(tmp_path / "t.csv", text(q=lambda i: f'"1,00{i % 2}"', r=lambda i: "low" if i % 4 == 0 else i % 5))
    config = written(tmp_path / "my.toml", f'[data]\nsource = "{path}"\n')
    assert main([str(config), "--dry-run"]) == 0
    lines = [line.rpartition(": ")[2] for line in capsys.readouterr().out.splitlines() if line.startswith("# column")]
    assert len(lines) == 2
    written(config, config.read_text() + "\n".join(lines))
    assert load_table(load_config(config)).features == ("p", "q", "r")


def test_compressed_files_and_files_in_parts(tmp_path: Path) -> None:
    whole = text(q=holed(lambda i: "ab"[i % 2], 30))
    header, *rows = whole.splitlines()
    expected = loaded(written(tmp_path / "t.csv", whole))
    written(tmp_path / "z.csv.gz", gzip.compress(whole.encode()))
    for name, some in (("part2.txt", rows[25:]), ("part1.txt", rows[:25])):
        written(tmp_path / name, "\n".join([header, *some]))
    for source in ("z.csv.gz", "part*.txt"):
        table = loaded(tmp_path / source)
        assert (table.digest, table.features, table.notes) == (expected.digest, expected.features, expected.notes)
        assert_array_equal(table.X, expected.X)
    written(tmp_path / "part2.txt", "\n".join([header, *rows[25:], "inf,a,1"]))
    with pytest.raises(InputError, match=r"part2\.txt, line 17, column 'p': inf"):
        loaded(tmp_path / "part*.txt")
    written(tmp_path / "part2.txt", "\n".join([header.replace("q", "r"), *rows[25:]]))
    with pytest.raises(InputError, match=r"part2\.txt are 'p', 'r', 'y', but those of .*part1\.txt are 'p', 'q', 'y'"):
        loaded(tmp_path / "part*.txt")
    with pytest.raises(InputError, match="no file has such a name"):
        loaded(tmp_path / "none*.txt")
    with pytest.raises(InputError, match="cannot be read"):
        loaded(written(tmp_path / "z.csv.gz", gzip.compress(whole.encode())[:-9]))
    with pytest.raises(InputError, match=r"not a text file|cannot be read"):
        loaded(written(tmp_path / "n.csv.gz", whole))


def test_parquet_without_pyarrow_says_what_is_needed(tmp_path: Path) -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        with pytest.raises(
            InputError, match=r"t\.parquet: Parquet needs the package pyarrow: pip install 'neuraltree\[parquet\]'"
        ):
            loaded(written(tmp_path / "t.parquet", "PAR1"))


def test_parquet_is_the_same_table(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    import pyarrow as pa
    from pyarrow import parquet

    path = written(
        tmp_path / "t.csv", text(q=holed(lambda i: i % 5, 3), r=["a", "b", "NA"], d=["2026-01-05", "2026-03-05"])
    )
    rows = list(csv.DictReader(path.read_text().splitlines()))
    columns = {
        "p": [int(row["p"]) for row in rows],
        "q": [float(row["q"]) if row["q"] else None for row in rows],
        "r": [None if row["r"] == "NA" else row["r"] for row in rows],
        "d": [date.fromisoformat(row["d"]) for row in rows],
        "y": [float(row["y"]) for row in rows],
    }
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    expected, table = loaded(path), loaded(tmp_path / "t.parquet")
    assert table.features == expected.features
    assert_array_equal(table.X, expected.X)
    assert_array_equal(table.y, expected.y)


@pytest.mark.parametrize(
    ("x", "y", "told"),
    [
        (np.arange(200), np.arange(200) ** 3, True),
        (np.arange(200), -np.exp(np.arange(200) / 50), True),
        (np.arange(200), np.arange(200) % 50, False),
        (np.arange(200), np.arange(200) >= 190, True),
        (np.arange(200), np.arange(200) % 20 == 0, False),
        (np.arange(200) % 2, np.arange(200) % 20 == 0, False),  # the class is rare, and no value has it alone
        (np.arange(200), np.arange(200) // 70, True),
        (np.arange(200), np.arange(200) // 35 % 3, False),
        (np.arange(200) % 3, np.arange(200) % 3, True),
        (["u", "v", "w"], [0, 1, 1], True),
        (["u", "v", "w"], [0, 1, 2], True),
        (["u", "v", "w", "u"], [0, 1, 1, 1], False),
    ],
)
def test_a_feature_that_tells_the_target(tmp_path: Path, x: Any, y: Any, told: bool) -> None:
    rng = np.random.default_rng(0)
    order = rng.permutation(200)
    x, y = np.resize(x, 200)[order], np.resize(np.asarray(y) * 1, 200)[order]
    rows = [f"{noise},{one},{other}" for noise, one, other in zip(rng.normal(size=200), x, y, strict=True)]
    notes = loaded(written(tmp_path / "t.csv", "\n".join(["p,x,y", *rows]))).notes
    assert any("'x' alone" in note for note in notes) == told
    assert 0.99 < NEARLY < 1


def test_the_digest_is_of_raw_cells(tmp_path: Path) -> None:
    content = text(q=holed(lambda i: "abc"[i % 3], 3))
    path = written(tmp_path / "t.csv", content)
    assert loaded(path).digest == loaded(path, missing="median").digest
    assert loaded(path).digest != loaded(written(path, content.replace("c", "d"))).digest


def test_older_configs_keep_their_hashes() -> None:
    """Computed by the version before these keys."""
    assert config_hash(Config(DataConfig("iris"))) == IRIS_HASH


@pytest.mark.skipif(not CREDIT.is_file(), reason="the shared data are not here")
def test_credit_g() -> None:
    table = loaded(CREDIT)
    with CREDIT.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert (table.classes, table.kind, len(table.y), table.notes) == (("bad", "good"), "binary", 1000, ())
    columns = {column.name: column for column in table.columns or ()}
    assert sum(isinstance(column, Number) for column in columns.values()) == 7
    flags = {name for name, column in columns.items() if isinstance(column, Flag)}
    assert flags == {"foreign_worker"}
    for i, name in enumerate(table.features):
        column, _, level = name.partition("=")
        cells = [row[column] for row in rows]
        expected = (
            [cell == level for cell in cells]
            if level and column in columns and name not in columns
            else [{"yes": 1.0, "no": 0.0}.get(cell) if column in flags else float(cell) for cell in cells]
        )
        assert_array_equal(table.X[:, i], expected)


PENGUINS = Path(__file__).parent / "penguins.csv"


def run_config(folder: Path, source: Path, data: str = "") -> Path:
    return written(
        folder / "my.toml",
        f'[data]\nsource = "{source}"\n{data}\n[run]\nout = "{folder}/run"\n[search]\npopulation = 12\n'
        "generations = 2\nfolds = 2\n[space]\nmax_nodes = 20\n[train]\nepochs = 5\n[baselines]\nmodels = []\n",
    )


def test_a_run_on_penguins_gives_models_of_raw_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = run_config(tmp_path, PENGUINS, 'target = "species"')
    assert main([str(config)]) == 0
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert any("missing cells" in note for note in manifest["notes"])
    told = capsys.readouterr().err
    assert all(note in told for note in manifest["notes"])
    table = load_table(load_config(config))
    with PENGUINS.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["species"] not in ("", "NA")]
    frame = [{name: _cell(name, cell) for name, cell in row.items()} for row in rows]
    front = load_front(tmp_path / "run")
    assert len(front) > 0
    for member in front:
        tree = load(member.path)
        assert tree.columns == table.columns
        assert_array_equal(tree.predict(frame), tree.predict(table.X))
    assert main([str(tmp_path / "run"), "--resume", "--generations", "3"]) == 0


def _cell(name: str, cell: str) -> str | float | None:
    """A cell as pandas would read it."""
    if cell == "NA":
        return None
    return float(cell) if name.endswith(("_mm", "_g", "year")) else cell


def test_a_run_on_a_messy_table(tmp_path: Path) -> None:
    content = text(
        id=lambda i: f"row {i}",
        q=holed(lambda i: f"{i % 5}", 3, 9, 17),
        r=["a", "b", "c"],
        at=lambda i: f"2026-01-05 {i % 24:02d}:00",
        flat=["1"],
    )
    config = run_config(tmp_path, written(tmp_path / "t.csv", content), 'columns = {at = "time hour"}')
    assert main([str(config), "--quiet"]) == 0
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = [{name: cell or None for name, cell in row.items()} for row in csv.DictReader(file)]
    for member in load_front(tmp_path / "run"):
        assert_allclose(member.tree().predict(rows), member.tree().predict(load_table(load_config(config)).X))


def test_a_class_has_its_notes_too(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", text(q=lambda i: i % 5, label=["a", "b"]))
    table = load_table(Config(DataConfig(str(path), target="label"), task=TaskConfig(kind="classification")))
    assert table.classes == ("a", "b")


def test_a_large_table_is_read_in_little_memory(tmp_path: Path) -> None:
    """At most three times its numbers, and a fixed part; texts of all rows alone would take ten times as much."""
    rng, rows, columns = np.random.default_rng(0), 10_000, 20
    path = tmp_path / "t.csv"
    np.savetxt(path, rng.normal(size=(rows, columns)), fmt="%.6g", delimiter=",")
    loaded(written(tmp_path / "small.csv", text()))  # what is imported on the way
    tracemalloc.start()
    table = loaded(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert table.X.shape == (rows, columns - 1)
    assert peak < 3 * 8 * rows * columns + 6e6


def test_a_finished_model_reads_the_rows_that_have_a_target(tmp_path: Path) -> None:
    """Without it the features of one row would stand beside the target of another."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 200))
    lines = [f"{p},{q},{'' if i < 20 else 2 * p + q}" for i, (p, q) in enumerate(zip(a, b, strict=True))]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,y", *lines]))
    tree = replace(regression([(0, -6, 0, 0), (1, 0, 2, 0), (1, 1, 1, 0)]), features=("a", "b"))
    table = table_for(tree, config_of({"data": {"source": str(tmp_path / "t.csv")}}, "the test"))
    assert len(table.y) == 180
    assert_allclose(table.y, table.X @ [2, 1])
