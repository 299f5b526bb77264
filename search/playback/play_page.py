"""The page of a playback, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.signals.event_rule import UNKNOWN
from neuraltree.signals.signal_model import SignalModel
from search.playback.play_scores import Scores
from search.playback.played import Played
from search.playback.timeline import MOST_POINTS, timeline, wrong_windows

MOST_NUMBERS = 700_000  # of signals in a page, some 4 bytes each
LEAST_POINTS = 50  # of a channel, however many there are
MOST_CHANNELS = 12  # drawn; the first ones
STEPS = 4095  # a channel of a recording is drawn in so many steps between its least and its largest sample


class PlayWords(NamedTuple):
    """``model``: its name; ``source``: the name of the recordings; ``notes``: a sentence each, above the page."""

    model: str
    source: str
    notes: Sequence[str] = ()


def play_page(model: SignalModel, plays: Sequence[Played], scores: Scores, words: PlayWords) -> dict[str, Any]:
    """The data of the page of recordings played through a model of classes."""
    front, total = model.front_end, int(scores.confusion.sum())
    minutes = sum(len(one.counts) for one in plays) / front.rate_hz / 60
    drawn = min(len(front.channels), MOST_CHANNELS)
    most = max(LEAST_POINTS, min(MOST_POINTS, MOST_NUMBERS // max(1, len(plays) * drawn)))
    wrong = [wrong_windows(one) for one in plays]
    return {
        "kind": "playback",
        "title": f"{words.model} plays {words.source} – neuraltree",
        "name": f"{words.model} plays {words.source}",
        "facts": [
            *(f"{len(plays)} recordings", f"{minutes:.1f} min at {front.rate_hz:g} samples a second"),
            *(f"a decision every {front.hop / front.rate_hz:g} s", f"{total} windows with a label"),
        ],
        "classes": [str(label) for label in model.tree.classes or ()],
        "unknown": UNKNOWN,
        "channels": list(front.channels[:drawn]),
        "hidden_channels": len(front.channels) - drawn,
        "chosen": int(np.argmax(wrong)) if wrong else 0,
        "recordings": [_recording(one, n, model, most, drawn) for one, n in zip(plays, wrong, strict=True)],
        "confusion": scores.confusion.tolist(),
        "accuracy": scores.accuracy,
        "whole": list(scores.recordings),
        "subjects": [list(row) for row in scores.worst_first],
        "events": _events(scores),
        "notes": list(words.notes),
    }


def _events(scores: Scores) -> dict[str, Any]:
    found = scores.events
    return {
        "labelled": found.labelled,
        "accuracy": found.accuracy if found.labelled else None,
        "spans": found.spans,
        "found": found.found,
        "false_alarms": found.false_alarms,
        "hours": found.hours,
        "per_hour": found.false_alarms_per_hour,
        "delays_s": np.round(found.delays_s, 3).tolist(),
    }


def _recording(one: Played, wrong: int, model: SignalModel, most: int, drawn: int) -> dict[str, Any]:
    made = timeline(one, model.front_end.rate_hz, model.front_end.hop, most)
    bands = {name: getattr(made, name) for name in ("label", "window", "reported", "wrong")}
    step = float(made.times_s[1] - made.times_s[0]) if len(made.times_s) > 1 else 1.0
    return {
        "name": one.recording.name,
        "subject": one.recording.subject,
        "seconds": len(one.counts) / model.front_end.rate_hz,
        "decisions": len(one.labels),
        "labelled": int((one.labels >= 0).sum()),
        "wrong_count": wrong,
        "start_s": float(made.times_s[0]) if len(made.times_s) else 0.0,
        "step_s": step,
        "signal": [_in_steps(column) for column in made.signal[:, :drawn].T],
        **{name: [[round(a, 4), round(b, 4), code] for a, b, code in rows] for name, rows in bands.items()},
        "events": [[round(at, 4), code] for at, code in made.events],
        "left_out": made.left_out,
    }


def _in_steps(values: FloatArray) -> dict[str, Any]:
    """``low`` + ``unit`` * ``steps``: the values, as short integers."""
    if not len(values):
        return {"low": 0.0, "unit": 0.0, "steps": []}
    low, high = float(values.min()), float(values.max())
    unit = (high - low) / STEPS or 1.0
    return {"low": low, "unit": unit, "steps": np.rint((values - low) / unit).astype(np.int64).tolist()}
