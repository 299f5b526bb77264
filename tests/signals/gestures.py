"""Made recordings of three gestures: a slow swing, a fast one, and rest; by several people."""

from __future__ import annotations

from pathlib import Path

import numpy as np

RATE_HZ = 50.0
CLASSES = ("fast", "rest", "slow")
SWINGS = {"fast": (5.0, 2.0), "rest": (0.0, 0.0), "slow": (1.0, 2.0)}  # Hz, in the unit of the samples


def write(path: Path, people: int = 6, seconds: float = 20.0, parts: bool = False) -> Path:
    """An .npz file: each person does each gesture once, in one recording. ``parts``: the last two are for testing."""
    rng = np.random.default_rng(0)
    n = int(seconds * RATE_HZ)
    samples, labels, subjects = [], [], []
    for person in range(people):
        for code, name in enumerate(CLASSES):
            hz, size = SWINGS[name]
            t = np.arange(n) / RATE_HZ
            swing = size * np.sin(2 * np.pi * hz * rng.uniform(0.9, 1.1) * t + rng.uniform(0, 6))
            samples.append(np.column_stack([swing, 0.5 * swing, np.full(n, 9.8)]) + rng.normal(0, 0.3, (n, 3)))
            labels += [code] * n
            subjects += [f"p{person}"] * n
    part = {
        "part": np.array(
            ["testing" if name in (f"p{people - 1}", f"p{people - 2}") else "training" for name in subjects]
        )
    }
    np.savez(
        path,
        samples=np.concatenate(samples),
        label=np.array(labels),
        classes=np.array(CLASSES),
        subject=np.array(subjects),
        rate_hz=RATE_HZ,
        channels=np.array(["accx", "accy", "accz"]),
        **(part if parts else {}),
    )
    return path
