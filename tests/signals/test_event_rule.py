"""The rule that makes events of scores, against one written as its description reads; and models as files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neuraltree.signals.event_rule import NONE, UNKNOWN, EventRule, events
from neuraltree.signals.signal_model import SignalModel, load, loads, reduced
from neuraltree.tree.model_files import FileError
from tests.helpers.signal_models import random_walk, signal_model


def plain_events(rule: EventRule, rows: list[list[int]], rejected: list[bool]) -> list[int]:
    """Window after window, with one number after another."""
    means: list[int] = []
    current, quiet, found = None, 0, []
    for row, bad in zip(rows, rejected, strict=True):
        if not means:
            means = list(row)
        else:
            for k, score in enumerate(row):
                means[k] = means[k] + int(np.floor((score - means[k]) * rule.smoothing / 256 + 0.5))
        best = max(range(len(means)), key=lambda k: (means[k], -k))
        lead = means[best] - max(m for k, m in enumerate(means) if k != best)
        label = best if (lead >= rule.margin or best == current) and not bad else "unknown"
        if quiet > 0:
            quiet -= 1
            found.append(NONE)
        elif label == current:
            found.append(NONE)
        else:
            current = label
            if label == rule.background:
                found.append(NONE)
            elif label == "unknown":
                found.append(UNKNOWN)
            else:
                found.append(label)
                quiet = rule.refractory
    return found


@pytest.mark.parametrize("seed", range(12))
def test_events_are_as_described(seed: int) -> None:
    rng = np.random.default_rng(seed)
    classes = int(rng.integers(2, 6))
    rule = EventRule(
        int(rng.choice([256, 200, 77, 20])),
        int(rng.choice([0, 1, 300, 800])),
        int(rng.choice([0, 1, 5])),
        int(rng.choice([-1, 0, classes - 1])),
    )
    level = np.repeat(rng.normal(size=(40, classes)), 10, axis=0) * 1500
    scores = np.clip(level + rng.normal(size=level.shape) * 500, -32767, 32767).astype(np.int16)
    scores[::50, 1] = scores[::50, 0]  # the first of equals wins
    rejected = rng.random(len(scores)) < 0.05
    course = events(rule, scores, scores.argmax(axis=1), rejected)
    assert course.events.tolist() == plain_events(rule, scores.tolist(), rejected.tolist())
    assert len(set(course.events.tolist())) > 2


@pytest.mark.parametrize(
    "wrong", [{"smoothing": 0}, {"smoothing": 257}, {"margin": -1}, {"refractory": 70_000}, {"background": -2}]
)
def test_a_number_that_c_cannot_hold_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} is {next(iter(wrong.values()))}"):
        EventRule(**wrong)


@pytest.fixture(scope="module")
def model() -> SignalModel:
    return signal_model(3, 16, (32, 64))


def test_a_file_gives_the_same_model(model: SignalModel, tmp_path: Path) -> None:
    model.save(tmp_path / "new" / "model.json")
    assert load(tmp_path / "new" / "model.json") == model
    assert json.loads((tmp_path / "new" / "model.json").read_text())["format"] == "neuraltree-signal-v1"


def test_a_reduced_model_decides_the_same(model: SignalModel) -> None:
    small, samples = reduced(model), random_walk(3, 2_000)
    assert len(small.front_end.features) < len(model.front_end.features)
    assert reduced(small) is small
    values = model.front_end.values(samples)
    np.testing.assert_array_equal(small.front_end.values(samples), values[:, model.features_read])
    np.testing.assert_array_equal(
        small.tree.outputs(values[:, model.features_read].astype(float)), model.tree.outputs(values.astype(float))
    )


WRONG = {
    "format": ("neuraltree", 'its key "format" must be'),
    "hop": (0, "hop"),
    "rate_hz": (-1.0, "rate"),
    "channels": (["c0"], "c[12]"),
    "events": ({"margin": -1}, "margin"),
    "counts_per_unit": ([1.0], "one number for each channel"),
    "tree": ({}, "neither a neuraltree file"),
    "extra": (1, "extra"),
}


@pytest.mark.parametrize("key", WRONG)
def test_a_wrong_file_is_refused(key: str, model: SignalModel, tmp_path: Path) -> None:
    model.save(tmp_path / "model.json")
    data = json.loads((tmp_path / "model.json").read_text())
    value, message = WRONG[key]
    with pytest.raises(FileError, match=message):
        loads(json.dumps(data | {key: value}))


def test_no_file_and_no_json_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="No such file"):
        load(tmp_path / "none.json")
    with pytest.raises(FileError, match="not JSON"):
        loads("import os")


def test_parts_that_do_not_fit_are_refused(model: SignalModel) -> None:
    other = replace(model.front_end, features=model.front_end.features[::-1])
    with pytest.raises(ValueError, match="in their order"):
        replace(model, front_end=other)
    with pytest.raises(ValueError, match="background is class 3, of 0 to 2"):
        replace(model, events=EventRule(background=3))
    value = signal_model(3, 16, (32,), kind="regression")
    with pytest.raises(ValueError, match="a regression has no events"):
        replace(value, events=EventRule(margin=5))
