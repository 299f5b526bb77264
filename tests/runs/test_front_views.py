"""A front in a notebook and as a frame of pandas, against the table it comes from."""

from __future__ import annotations

import importlib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from search import load_front
from search.folder.baselines_csv import Baseline
from search.front import Front, Member
from tests.helpers.report_runs import write_run

pandas = pytest.importorskip("pandas")


def judged(*rows: tuple[float, float, float], baselines: tuple[Baseline, ...] = ()) -> Front:
    """A front of (honest error, its standard error, weights)."""
    names = ("honest_error", "honest_error_se", "weights")
    values = [{"id": float(i), **dict(zip(names, row, strict=True))} for i, row in enumerate(rows)]
    return Front(tuple(Member("ok", each) for each in values), ("error", "weights"), baselines)


# The second is within 0.15 standard errors of the first.
FRONT = judged((0.2, 0.1, 90), (0.21, 0.1, 40), (0.5, 0.1, 3))


def parsed(html: str) -> ElementTree.Element:
    return ElementTree.fromstring(html.replace("<br>", "<br/>"))


def cells_of(row: ElementTree.Element) -> list[str]:
    return [cell.text or "" for cell in row]


def test_a_frame_has_the_columns_of_the_table(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", device="cortex-m4f")
    frame, table = load_front(folder).to_pandas(), pandas.read_csv(folder / "front.csv")
    numbers = [name for name in table.columns if name not in ("status", "model")]
    assert list(frame.columns) == [*numbers, "model", "recommended"]
    assert np.array_equal(frame[numbers].to_numpy(), table[numbers].to_numpy(dtype=float))
    assert [f"models/{name}" for name in frame["model"]] == table["model"].tolist()
    assert frame["recommended"].tolist() == [True, False, False, False]
    assert frame["recommended"].dtype == bool
    assert (frame[numbers].dtypes == "float64").all()


def test_a_frame_has_holes_and_marks_the_recommended_member() -> None:
    frame = FRONT.to_pandas()
    assert frame["recommended"].tolist() == [False, True, False]
    assert frame["model"].tolist() == ["tree 0", "tree 1", "tree 2"]
    values = {"id": 1.0, "val_error": 0.3, "weights": 4.0}, {"id": 2.0, "val_error": 0.1, "x": 2.0}
    frame = Front(tuple(Member("ok", each, Path("a/000.json")) for each in values), ("error",)).to_pandas()
    assert list(frame.columns) == ["id", "val_error", "weights", "x", "model", "recommended"]
    assert frame["x"].isna().tolist() == [True, False]
    assert frame["model"].tolist() == ["000.json"] * 2


def test_the_frame_of_an_empty_front_is_empty() -> None:
    frame = Front((), ("error",)).to_pandas()
    assert list(frame.columns) == ["model", "recommended"]
    assert len(frame) == 0


def test_without_pandas_the_message_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(importlib.import_module("neuraltree.export.extras"), "import_module", missing)
    with pytest.raises(ValueError, match=r"^a frame needs the package pandas: pip install pandas$"):
        FRONT.to_pandas()


def test_a_notebook_shows_the_lines_of_the_text_and_the_summary() -> None:
    row = Baseline(
        "linear",
        "linear model",
        {
            **{"weights": 9.0, "honest_error": 0.3, "honest_error_se": 0.1},
            **{"honest_difference": 0.09, "honest_difference_se": 0.01},
        },
    )
    front = Front(FRONT.members, FRONT.objectives, (row,))
    page = parsed(front._repr_html_())
    rows = page.findall(".//tr")
    lines = repr(front).splitlines()
    assert page.findtext("p") == lines[0]
    assert [[cell for cell in cells_of(row) if cell] for row in rows] == [
        *(["honest_error", "weights"], ["tree 0", "0.2", "90"]),
        *(["tree 1", "0.21", "40", "recommended"], ["tree 2", "0.5", "3"]),
    ]
    assert [len(cells_of(row)) for row in rows] == [4] * 4
    assert [row[0].tag for row in rows] == ["th", "td", "th", "td"]
    said = page.findall("p")[1]
    assert [said.text, *(line.tail for line in said)] == front.summary().splitlines()


def test_a_long_front_is_cut_and_the_recommended_member_stays() -> None:
    front = judged(*[(0.2 + 0.0001 * i, 0.1, 90 - i) for i in range(40)])  # the last is the smallest of equals
    page = parsed(front._repr_html_())
    rows = page.findall(".//tr")[1:]
    assert [cells_of(row)[0].strip() for row in rows] == [f"tree {i}" for i in (*range(20), 39)]
    assert page.findall("p")[1].text == "... and 19 more"


def test_names_in_a_table_are_no_html() -> None:
    row = Baseline(
        "cart",
        "<b>&cart</b>",
        {
            "weights": 9.0,
            "honest_error": 0.3,
            "honest_error_se": 0.1,
            "honest_difference": 0,
            "honest_difference_se": 0,
        },
    )
    values = {"val_error": 0.1, "weights": 2.0, "error_class_<i>": 0.5}
    members = (Member("ok", values, Path("models/<b>$x$.json")),)
    html = Front(members, ("error", "error_class_<i>", "weights"), (row,))._repr_html_()
    assert "<b>" not in html
    assert "<i>" not in html
    page = parsed(html)
    assert cells_of(page.findall(".//tr")[1])[0] == "<b>$x$.json"
    assert "error_class_<i>" in cells_of(page.findall(".//tr")[0])
    assert "tex2jax_ignore" in page.attrib["class"]


def test_an_empty_front_is_a_line() -> None:
    assert Front((), ("error",))._repr_html_() == "<p>Front of 0 models</p>"
