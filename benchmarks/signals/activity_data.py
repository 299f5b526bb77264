"""The recordings of activities (HAPT) and of gestures as configs of searches, and where they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from experiments.frame.data_places import looked_in, table_folders
from search.config.config import config_of
from search.errors import InputError
from search.table.data import Table
from search.table.loading import load_table
from search.table.signals.feature_choice import chosen_features
from search.table.split_columns import TEST, TRAIN, Rules

CHANNELS = ("accx", "accy", "accz", "gyrx", "gyry", "gyrz")
# UCI's split of the first version of the data.
TEST_SUBJECTS = ("2", "4", "9", "10", "12", "13", "18", "20", "24")
SUBJECTS = tuple(map(str, range(1, 31)))
VARIANTS: Mapping[str, tuple[str, ...]] = MappingProxyType({"all axes": CHANNELS, "accelerometer": CHANNELS[:3]})
# Of the sensors: 2 g and 2,000 degrees a second in 15 bits, so that no scale depends on a split.
COUNTS = dict.fromkeys(CHANNELS[:3], 16384.0) | dict.fromkeys(CHANNELS[3:], 939.0)
Tables = dict[str, dict[str, Any]]


def place(name: str) -> Path:
    """A file of the folder ``signals`` beside the papers' tables; ``InputError`` if it is not there."""
    paths = [folder.parent / "signals" / name for folder in table_folders()]
    found = next((path for path in paths if path.is_file()), None)
    if found is None:
        raise InputError(f"no {name} in the folder signals beside {looked_in(table_folders())}; put the file there")
    return found


def activities(variant: str) -> Tables:
    """Six activities in the published windows: 128 samples, hop 64, within one activity; split by subject."""
    return {
        "data": {"source": str(place("hapt_raw.npz"))},
        "signal": {
            "windows": [128],
            "hop": 64,
            "share": 1.0,
            "rate_hz": 50.0,
            "channel_names": CHANNELS,
            "channels": VARIANTS[variant],
            "classes": ["1", "2", "3", "4", "5", "6"],
            "test_subjects": TEST_SUBJECTS,
            "counts_per_unit": {name: COUNTS[name] for name in VARIANTS[variant]},
        },
    }


def gestures() -> Tables:
    """The defaults of the command line."""
    return {
        "data": {"source": str(place("gestures-edge-impulse-export.zip"))},
        "signal": {"windows": "auto", "background": "idle"},
    }


@cache
def _everything(variant: str) -> Table:
    tables = activities(variant)
    tables["signal"] |= {"most_features": 10_000}
    return load_table(config_of(tables, "the benchmark"))


def without_subject(variant: str, subject: str, most_features: int = 200) -> Table:
    """The windows of all subjects, of whom one is for the test; the filter of features sees the others alone."""
    table = _everything(variant)
    assert table.rules.group is not None
    assert table.front is not None
    codes = table.rules.group == sorted(SUBJECTS).index(subject)
    train = np.flatnonzero(~codes)
    kept = chosen_features(table.X[train].astype(np.int64), table.y[train], len(table.classes or ()), most_features)
    front = replace(table.front, features=tuple(table.front.features[i] for i in kept.tolist()))
    rules = Rules(group=table.rules.group, part=np.where(codes, TEST, TRAIN))
    return replace(table, X=table.X[:, kept], features=front.features, front=front, rules=rules)
