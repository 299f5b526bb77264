"""What a run says: each reporter in its own form, and where the time went."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from search.run import main
from search.runs import progress
from search.runs.progress import REPORTERS, Bar, Json, Lines, Phases, Reporter, reporter

ROW = {
    **{"generation": 1, "evaluations": 20, "hypervolume": 12.3456, "front_size": 3, "best_error": 0.23456},
    **{"seconds_vary": 0.1, "seconds_train": 0.5, "seconds_cost": 0.0, "seconds_select": 0.1, "seconds_save": 0.1},
    **{"compilations": 2, "trees_per_s": 1234.5, "weight_samples_per_s": 98.7e6},
}
PHASES = {"train": 3.0, "save": 1.0}
FIGURES = "hypervolume 12.35  best error 0.2346  front 3  1,234 trees/s  99 M weight·samples/s"


def tell(report: Reporter, generations: int = 3) -> None:
    """A whole run, as the loop tells it."""
    report.begin("table [x]; into out", generations, 0)
    for generation in range(generations + 1):
        report.generation({**ROW, "generation": generation})
    report.message("stopping [/] soon")
    report.end("4 models in [out]/front.csv\n  knee: 001.json", PHASES)
    report.close()


@pytest.mark.parametrize("name", REPORTERS)
def test_every_reporter_lives_through_a_run_without_a_feasible_tree_and_is_closed_twice(name: str) -> None:
    report = REPORTERS[name]()
    report.message("before it begins")
    report.begin("text", 2, 1)
    report.generation({**ROW, "best_error": None})
    report.close()
    report.close()


# Quiet, lines, JSON.


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    tell(REPORTERS["quiet"]())
    assert capsys.readouterr() == ("", "")


def test_lines_go_to_standard_error_and_stay_lines(capsys: pytest.CaptureFixture[str]) -> None:
    tell(Lines())
    out, said = capsys.readouterr()
    assert out == ""
    assert said.splitlines() == [
        "table [x]; into out",
        f"generation 0/3  {FIGURES}",
        f"generation 3/3  {FIGURES}",  # those between came within five seconds
        "stopping [/] soon",
        "time: train 3.00 s (75%), save 1.00 s (25%)",
        "4 models in [out]/front.csv",
        "  knee: 001.json",
    ]
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", said), "no control characters, tabs or returns"


def test_lines_come_every_few_seconds(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    report = Lines()
    report.begin("text", 1000, 0)
    for generation in range(60):
        report.generation({**ROW, "generation": generation})
        clock[0] += 0.5
    shown = [int(line.split()[1].split("/")[0]) for line in capsys.readouterr().err.splitlines()[1:]]
    assert shown == [0, 10, 20, 30, 40, 50]


def test_no_feasible_tree_is_said_to_be_none(capsys: pytest.CaptureFixture[str]) -> None:
    report = Lines()
    report.begin("text", 3, 0)
    report.generation({**ROW, "best_error": None})
    assert "best error none  front 3" in capsys.readouterr().err


def strict(text: str) -> dict[str, object]:
    """JSON without the extensions of Python's reader."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    parsed = json.loads(text, parse_constant=refuse)
    assert isinstance(parsed, dict)
    return parsed


def test_json_is_one_object_a_line_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    tell(Json())
    out, said = capsys.readouterr()
    assert said == ""
    events = [strict(line) for line in out.splitlines()]
    assert [event["event"] for event in events] == ["begin", *["generation"] * 4, "message", "end"]
    assert events[0] == {"event": "begin", "text": "table [x]; into out", "generations": 3, "done": 0}
    assert events[2] == {"event": "generation", **ROW}
    assert events[-1]["phases"] == PHASES


def test_json_of_a_real_run_is_strict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c.toml").write_text(
        """
        data.source = "iris"
        space.max_nodes = 12
        search = {population = 4, generations = 1, folds = 2}
        constraints = {error = 0.0}
        train.epochs = 1
        """
    )
    assert main([str(tmp_path / "c.toml"), "--out", str(tmp_path / "out"), "--json"]) == 0
    out, said = capsys.readouterr()
    assert said == ""
    events = [strict(line) for line in out.splitlines()]
    first, *rows, last = [event for event in events if event["event"] != "message"]
    assert (first["generations"], first["done"]) == (1, 0)
    assert [(row["generation"], row["evaluations"], row["best_error"]) for row in rows] == [(0, 4, None), (1, 8, None)]
    phases = last["phases"]
    assert isinstance(phases, dict)
    assert list(phases) == ["vary", "train", "cost", "select", "save", "finish"]


# The bar.


def bar(width: int = 100) -> tuple[Bar, Callable[[], str]]:
    """A bar on a terminal that is a string; the other value gives what is on it so far."""
    report, file = Bar(), io.StringIO()
    able = {"TERM": "xterm"}  # whatever the terminal is that the tests run in
    console = Console(
        file=file, force_terminal=True, width=width, height=30, color_system=None, legacy_windows=False, _environ=able
    )
    report.console = report.progress.live.console = report.live.console = console
    return report, file.getvalue


HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_a_bar_shows_the_generation_the_figures_and_the_time(capsys: pytest.CaptureFixture[str]) -> None:
    report, shown = bar()
    tell(report)
    text = plain(shown())
    for wanted in ("table [x]; into out", "0/3", "training", "3/3", FIGURES, "stopping [/] soon"):
        assert wanted in text, wanted
    assert re.search(r"train +│ +3\.00 +│ +75%", text)
    assert "4 models in [out]/front.csv\n  knee: 001.json" in text
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("width", [50, 80, 200])
def test_a_bar_fits_its_terminal(width: int) -> None:
    report, shown = bar(width)
    report.begin("text", 100, 7)
    report.generation({**ROW, "generation": 12})
    report.close()
    frame = plain(shown()).split("\r")[-1].splitlines()
    assert "12/100" in plain(shown())
    assert all(len(line) <= width for line in frame)
    assert "weight·samples/s" in re.sub(r"\s+", " ", plain(shown()))


def test_a_bar_goes_on_where_a_run_was_resumed() -> None:
    report, shown = bar()
    report.begin("text", 10, 4)
    report.close()
    assert "4/10" in plain(shown())


def test_a_bar_gives_the_cursor_back_however_the_run_ends() -> None:
    report, shown = bar()
    report.begin("text", 3, 0)
    assert shown().count(HIDE) == 1
    assert SHOW not in shown()
    report.close()
    assert shown().rindex(SHOW) > shown().rindex(HIDE)


def test_a_message_before_the_bar_is_plain_text() -> None:
    report, shown = bar(40)
    report.message("the run in [bold]results/with a long name[/bold] is complete")
    assert shown() == "the run in [bold]results/with a long name[/bold] is complete\n"


# Which one, and how long.


@pytest.mark.parametrize(
    ("quiet", "as_json", "terminal", "kind"),
    [
        (False, False, True, "bar"),
        (False, False, False, "lines"),
        (False, True, True, "json"),
        (False, True, False, "json"),
        (True, False, True, "quiet"),
        (True, False, False, "quiet"),
    ],
)
def test_the_reporter_suits_the_options_and_the_terminal(
    monkeypatch: pytest.MonkeyPatch, quiet: bool, as_json: bool, terminal: bool, kind: str
) -> None:
    monkeypatch.setattr("sys.stderr", io.StringIO())
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert type(reporter(quiet, as_json)) is REPORTERS[kind]


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_that_wants_no_escape_codes_gets_lines(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setattr("sys.stderr", io.StringIO())
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv(variable, value)
    assert type(reporter(False, False)) is Lines


def test_phases_sum_to_the_time_spent_in_them() -> None:
    phases, begun = Phases(), time.perf_counter()
    for name in ("train", "save", "train"):
        with phases(name):
            time.sleep(0.02)
    spent = time.perf_counter() - begun
    first = phases.take()
    assert list(first) == ["train", "save"]
    assert 0.04 <= first["train"] < spent - 0.02
    assert sum(first.values()) == pytest.approx(spent, abs=0.01)
    with phases("save"):
        pass
    assert list(phases.take()) == ["save"]
    assert phases.take() == {}
    assert phases.total["train"] == first["train"]
    assert phases.total["save"] > first["save"]


def test_time_spent_in_a_phase_that_fails_is_counted() -> None:
    phases = Phases()
    with pytest.raises(ZeroDivisionError), phases("train"):
        1 / 0  # noqa: B018
    assert phases.total["train"] > 0
