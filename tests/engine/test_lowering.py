"""The choice of the engine, and what it says when the fast one is missing."""

from __future__ import annotations

import pytest

from neuraltree.engine import lowering as choice
from neuraltree.engine.kernel.binding import VARIABLE, Missing


@pytest.fixture(autouse=True)
def chosen_anew():
    choice.lowering.cache_clear()
    choice.kernel_in_use.cache_clear()
    yield
    choice.lowering.cache_clear()
    choice.kernel_in_use.cache_clear()


def test_the_kernel_is_the_default(kernel, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert choice.engine_name() == f"kernel {kernel.kernel.variant}"
    assert choice.lowering() is choice.lowering()
    assert choice.what_is_missing() == ""


def test_xla_may_be_asked_for(monkeypatch):
    monkeypatch.setenv(VARIABLE, "xla")
    assert choice.engine_name() == "XLA"
    assert choice.what_is_missing() == ""


def test_without_a_kernel_xla_trains_and_the_reason_is_said(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(choice, "load", lambda: Missing("the compiled kernel is missing"))
    assert choice.engine_name() == "XLA"
    assert choice.what_is_missing().startswith("the compiled kernel is missing, so XLA trains the trees")
