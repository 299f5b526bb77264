"""Pages of played recordings, made without a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from neuraltree.signals.recordings.recording import Recording, Recordings
from search.playback.play_page import PlayWords, play_page
from search.playback.play_scores import scores_of
from search.playback.played import LabelRule, check_recordings, played
from search.report.pages.write import write_playback
from tests.helpers.signal_models import random_walk, signal_model


def write_played(
    path: Path, name: str, names: Sequence[str], classes: Sequence[str], channels: Sequence[str], samples: int = 3000
) -> Path:
    """A page of a model named ``name``, and of a recording and a subject for each of ``names``; three classes."""
    model = signal_model(1, 16, (64,), width=len(channels))
    own = model.front_end.channels
    walk = random_walk(len(own), samples).astype(float) / 100
    labels = np.repeat(np.arange(6) % 3, -(-samples // 6))[:samples]
    recordings = [Recording(each, walk[i:], labels[i:], f"{each}!", "", "") for i, each in enumerate(names)]
    model = replace(model, tree=replace(model.tree, classes=tuple(classes)))
    found = check_recordings(model, Recordings(tuple(recordings), own, ("",) * len(own), 50.0, tuple(classes)))
    plays = played(model, found, "float32", LabelRule(64))
    data = play_page(model, plays, scores_of(model, plays), PlayWords(name, name, (name,)))
    return write_playback(data | {"channels": list(channels)}, path)
