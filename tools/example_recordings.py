"""``python -m tools.example_recordings``: writes examples/gestures.zip, made recordings of four gestures by ten people.

A person holds a board with an accelerometer, turned a little otherwise than others do, and does each gesture for 10 s
at a pace and a size of their own that wander. Samples are integers, 4,096 a g, 50 a second. The recordings of three
people are for the test.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.cli.command import DONE, Parser, fail_of_system, run_command
from neuraltree.tree.nodes import IntArray

EPILOG = "exit codes: 0 done, 2 bad input, 130 interrupted"
PLACE = Path(__file__).parents[1] / "examples" / "gestures.zip"
RATE_HZ, SECONDS, COUNTS_PER_G = 50, 10, 4096
PEOPLE, TESTERS = 10, ("p3", "p7", "p9")
# By gesture: the pace in Hz, and the size in g along the three axes and its phase there, in turns.
GESTURES: dict[str, tuple[float, tuple[float, float, float], tuple[float, float, float]]] = {
    "rest": (0.3, (0.01, 0.01, 0.01), (0.0, 0.2, 0.5)),
    "circle": (1.3, (0.7, 0.7, 0.1), (0.0, 0.25, 0.0)),
    "wave": (1.6, (0.9, 0.15, 0.15), (0.0, 0.0, 0.5)),
    "shake": (4.5, (0.4, 0.3, 1.2), (0.1, 0.4, 0.0)),
}


def recording(rng: np.random.Generator, gesture: str, turned: FloatArray) -> IntArray:
    """(samples, 3) of one person, whose board is ``turned`` (3, 3)."""
    pace_hz, sizes, phases = GESTURES[gesture]
    n = RATE_HZ * SECONDS
    wander = np.cumsum(rng.normal(0, 0.01, (2, n)), axis=1)
    turns = np.cumsum(pace_hz * rng.uniform(0.85, 1.15) * np.exp(wander[0]) / RATE_HZ)
    size = rng.uniform(0.8, 1.2) * np.exp(wander[1])
    moved = size[:, None] * np.array(sizes) * np.sin(2 * np.pi * (turns[:, None] + np.array(phases)))
    felt = (moved + np.array([0.0, 0.0, 1.0])) @ turned.T + rng.normal(0, 0.02, (n, 3))
    return np.rint(COUNTS_PER_G * felt).astype(np.int64)


def turned_board(rng: np.random.Generator) -> FloatArray:
    """(3, 3) a small rotation."""
    a, b, c = rng.normal(0, 0.2, 3)
    skew = np.array([[0, -c, b], [c, 0, -a], [-b, a, 0]])
    angle = float(np.sqrt(a * a + b * b + c * c))
    return np.eye(3) + np.sin(angle) / angle * skew + (1 - np.cos(angle)) / angle**2 * skew @ skew


def archive(path: Path) -> None:
    """Write the recordings; the same bytes each time."""
    rng = np.random.default_rng(2)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for person in (f"p{i + 1}" for i in range(PEOPLE)):
            turned, part = turned_board(rng), "testing" if person in TESTERS else "training"
            for gesture in GESTURES:
                rows = recording(rng, gesture, turned).tolist()
                lines = ["time_ms,accx,accy,accz"]
                lines += [",".join(map(str, (1000 // RATE_HZ * i, *row))) for i, row in enumerate(rows)]
                info = zipfile.ZipInfo(f"{part}/{gesture}.{person}.csv", (2026, 1, 1, 0, 0, 0))
                made.writestr(info, "\n".join(lines) + "\n", zipfile.ZIP_DEFLATED)


def parser() -> Parser:
    made = Parser("python -m tools.example_recordings", "Write made recordings of four gestures.", EPILOG)
    made.add_argument("--out", type=Path, default=PLACE, metavar="FILE.zip", help="by default examples/gestures.zip")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    path = parser().parse_args(argv).out
    try:
        archive(path)
    except OSError as error:
        return fail_of_system(error)
    print(path)
    return DONE


if __name__ == "__main__":
    run_command(main)
