"""The page that compares runs: summary, hypervolumes up to one point, differences of the configs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from search.report.__main__ import main
from tests.helpers.report_runs import HOSTILE, error_of, write_run
from tests.report.test_report import check_harmless, data_of

pytest.importorskip("plotly", reason="the page needs plotly: pip install 'neuraltree[report]'")


def compare(*runs: Path) -> dict[str, Any]:
    assert main([str(run) for run in runs]) == 0
    return data_of((runs[0].parent / "comparison.html").read_text())


def change(run: Path, **facts: object) -> None:
    path = run / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


def cell(found: dict[str, Any], run: int, label: str) -> float:
    return found["runs"][run]["summary"][[row["label"] for row in found["summary"]].index(label)]


def test_runs_are_summed_up_side_by_side(tmp_path: Path) -> None:
    found = compare(write_run(tmp_path / "a", members=2), write_run(tmp_path / "b", members=4, generations=5))
    assert [run["name"] for run in found["runs"]] == ["a", "b"]
    assert [cell(found, i, "Lowest error") for i in (0, 1)] == [error_of(0, 2), error_of(0, 4)]
    assert [cell(found, i, "Members") for i in (0, 1)] == [2, 4]
    assert [cell(found, i, "Trees evaluated") for i in (0, 1)] == [300, 500]
    assert [cell(found, i, "Time") for i in (0, 1)] == [3.75, 6.25]
    # Of b the members have 7, 6, 5 and 2 weights.
    assert found["runs"][1]["members"]["values"]["weights"] == [7, 6, 5, 2]
    assert cell(found, 1, "Error with ≤ 10 weights") == error_of(0, 4)
    assert found["axes"] == {"x": "weights", "y": "val_error"}


def test_the_test_error_comes_before_the_score(tmp_path: Path) -> None:
    found = compare(write_run(tmp_path / "a"), write_run(tmp_path / "b", final=False))
    labels = [row["label"] for row in found["summary"]]
    assert labels.index("Its test score") == labels.index("Its test error") + 1
    assert [cell(found, 0, label) for label in ("Its test error", "Its test score")] == [0.3, 0.7]
    assert [cell(found, 1, label) for label in ("Its test error", "Its test score")] == [None, None]


def test_members_beyond_a_budget_do_not_count(tmp_path: Path) -> None:
    found = compare(write_run(tmp_path / "a", members=12), write_run(tmp_path / "b"))
    weights = found["runs"][0]["members"]["values"]["weights"]
    first = next(i for i, count in enumerate(weights) if count <= 10)
    assert first > 0
    assert cell(found, 0, "Error with ≤ 10 weights") == error_of(first, 12)
    assert cell(found, 0, "Error with ≤ 20 weights") == error_of(0, 12)


def test_the_hypervolume_is_up_to_the_larger_of_both_reference_points(tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", members=2, reference=(1.0, 10.0))
    b = write_run(tmp_path / "b", members=1, reference=(0.5, 20.0))
    found = compare(a, b)
    # a: (.25, 5 weights) and (.5, 2); b: (.5, 2). Up to (1, 20).
    assert found["runs"][0]["members"]["values"]["weights"] == [5, 2]
    assert cell(found, 0, "Hypervolume") == pytest.approx(0.75 * 15 + 0.5 * 3)
    assert cell(found, 1, "Hypervolume") == pytest.approx(0.5 * 18)
    assert "error 1, weights 20" in found["about"]
    assert "share of its own" in found["volumes"]  # there is no evolution.npz to compute them from
    assert found["runs"][0]["volumes"] == pytest.approx([50 / 52, 51 / 52, 1])


def test_with_one_reference_point_the_histories_are_as_recorded(tmp_path: Path) -> None:
    found = compare(write_run(tmp_path / "a"), write_run(tmp_path / "b"))
    assert found["runs"][0]["volumes"] == [50, 51, 52]
    assert "error 1, weights 100" in found["volumes"]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"objectives": ["error", "nodes"]}, "objectives differ"),
        ({"data_hash": "x"}, "different data"),
        ({"reference_point": None}, "no reference point"),
    ],
)
def test_runs_that_do_not_compare_are_said_to(tmp_path: Path, facts: dict[str, Any], said: str) -> None:
    a, b = write_run(tmp_path / "a"), write_run(tmp_path / "b")
    change(b, **facts)
    found = compare(a, b)
    assert said in found["about"]
    assert cell(found, 0, "Hypervolume") is None
    assert all(row["better"] == "" for row in found["summary"])


def test_seeds_that_differ_are_said(tmp_path: Path) -> None:
    a, b = write_run(tmp_path / "a"), write_run(tmp_path / "b")
    assert "seeds" not in compare(a, b)["about"]
    change(b, seed=1)
    assert "seeds differ" in compare(a, b)["about"]


def test_only_the_keys_that_differ_are_listed(tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", config="[search]\npopulation = 50\n[constraints]\nweights = 9\n[run]\nout = 'x'\n")
    b = write_run(tmp_path / "b", config='[search]\npopulation = 60\nobjectives = ["error", "weights"]\n')
    found = compare(a, b)
    assert found["differences"] == [["search.population", ["50", "60"]], ["constraints.weights", ["9.0", "–"]]]


def test_an_unfinished_and_an_empty_run_are_compared_too(tmp_path: Path) -> None:
    a, b, c = (write_run(tmp_path / name, final=name != "b") for name in "abc")
    (c / "front.csv").write_text("id,status,val_error,weights,model\n")
    found = compare(a, b, c)
    assert [run["status"] for run in found["runs"]] == ["complete", "running", "complete"]
    assert cell(found, 2, "Hypervolume") == 0
    assert any(note.startswith("b: ") for note in found["notes"])


def test_runs_of_one_name_are_told_apart(tmp_path: Path) -> None:
    a, b = write_run(tmp_path / "1" / "r"), write_run(tmp_path / "2" / "r")
    assert main([str(a), str(b)]) == 0
    found = data_of((tmp_path / "comparison.html").read_text())
    assert [run["name"] for run in found["runs"]] == [str(a), str(b)]


def test_hostile_names_are_harmless_here_too(tmp_path: Path) -> None:
    a = write_run(tmp_path / "<b>x", features=HOSTILE, table="<i>.csv")
    b = write_run(tmp_path / "{{data}}", features=HOSTILE, table="<i>.csv")
    found = compare(a, b)
    assert [run["name"] for run in found["runs"]] == ["<b>x", "{{data}}"]
    check_harmless((tmp_path / "comparison.html").read_text())
