"""Lines that say that a long step goes on."""

from __future__ import annotations

import threading
import time

import pytest

from neuraltree.cli import patience as module
from neuraltree.cli.patience import patience


def waited(said: list[str], count: int) -> None:
    """Until so many lines are said."""
    for _ in range(1000):
        if len(said) >= count:
            return
        time.sleep(0.01)
    pytest.fail(f"{len(said)} of {count} lines were said")


def test_a_long_step_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_S", 0.01)
    said: list[str] = []
    before = threading.active_count()
    with patience(said.append, "counting") as note:
        waited(said, 1)
        note("3 of 7")
        waited(said, len(said) + 2)
    assert said[0] == "  counting (0 s)"
    assert said[-1] == "  counting: 3 of 7 (0 s)"
    there = len(said)
    time.sleep(0.03)
    assert len(said) == there
    assert threading.active_count() == before


def test_a_short_step_says_nothing_and_a_failing_one_ends_its_thread() -> None:
    said: list[str] = []
    before = threading.active_count()
    with patience(said.append, "counting"):
        pass
    with pytest.raises(ValueError, match="seven"), patience(said.append, "counting"):
        raise ValueError("seven")
    assert said == []
    assert threading.active_count() == before


def test_a_reader_that_is_gone_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_S", 0.001)
    tried: list[str] = []

    def gone(text: str) -> None:
        tried.append(text)
        raise BrokenPipeError

    with patience(gone, "counting"):
        waited(tried, 2)
