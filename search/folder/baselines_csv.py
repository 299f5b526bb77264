"""``baselines.csv`` of a run folder: one row per model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from search.folder.records import write_csv
from search.objectives import USUAL_COSTS
from search.reading import read_rows

FILE = "baselines.csv"
NUMBERS = (
    *("val_error", "test_error", "test_score", "weights", "macs", *USUAL_COSTS, "seconds"),
    *("honest_error", "honest_error_se", "honest_difference", "honest_difference_se"),
)
HEADER = ("name", "label", *NUMBERS)
WHOLE = ("weights", "macs")
ALWAYS = ("val_error", "test_error", "test_score", "weights", "macs")


@dataclass(frozen=True)
class Baseline:
    """``values`` holds the known entries of ``NUMBERS``; a cost only if the device can cost this model.

    ``val_error``, ``test_error``, ``test_score`` use the metrics and rows of ``front.csv``. ``seconds`` is the
    training time of the model's row of the table, over all fits.
    """

    name: str
    label: str
    values: dict[str, float]


def load_baselines(folder: str | Path) -> tuple[Baseline, ...]:
    """The baselines of a run, () if it has none. Raises ``InputError`` if their file is damaged."""
    path = Path(folder) / FILE
    if not path.is_file():
        return ()
    return tuple(read_rows(path, _baseline))


def write_baselines(folder: Path, baselines: Iterable[Baseline]) -> None:
    """Replace the file in one step."""
    rows = [[row.name, row.label, *(_cell(row.values, name) for name in NUMBERS)] for row in baselines]
    write_csv(folder / FILE, HEADER, rows)


def _cell(values: dict[str, float], name: str) -> float | None:
    return int(values[name]) if name in WHOLE else values.get(name)


def _baseline(row: dict[str, str]) -> Baseline:
    known = [name for name in NUMBERS if row.get(name) or name in ALWAYS]  # older runs have no honest errors
    return Baseline(row["name"], row["label"], {name: float(row[name]) for name in known})
