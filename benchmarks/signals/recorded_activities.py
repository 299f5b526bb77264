"""Activities and gestures from recordings to streaming code, beside other small models on the same features.

``python -m benchmarks.run recordings`` writes ``recordings.csv``, ``.md`` and ``.png`` into results/. It needs the
extra dev, arm-none-eabi-gcc, and the recordings of the project's data. Searches and measurements are kept in the user's
cache folder, so an interrupted run resumes where it stopped. ``--parts`` chooses what is run; rows of other parts stay.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.signals.activity_data import SUBJECTS, VARIANTS, Tables, activities, gestures
from benchmarks.signals.feature_peers import peer_rows
from benchmarks.signals.recordings_page import FAMILY, page, picture
from benchmarks.signals.signal_runs import SCORE, left_out, play_test, run_of
from neuraltree.hardware.profile.load import load_device
from neuraltree.storing import store
from search.config.config import config_of
from search.errors import InputError
from search.front import load_front
from search.pictures.run_pictures import save
from search.table.loading import load_table

Row = dict[str, Any]
EVENTS = ("windows", "recordings", "recordings_right", "worst_subject", "spans", "found", "delay_s", "alarms_per_hour")
COLUMNS = (
    *("part", "data", "seed", "family", "model", "recommended", "promised", "score"),
    *("flash_bytes", "ram_bytes", "cycles_per_s", "latency_s", "weights", *EVENTS, "reported"),
)
FEATURES = 200


def search_rows(options: argparse.Namespace) -> Iterator[Row]:
    """A row for each member of each front; the recommended one also played on the test's recordings."""
    names: dict[str, Callable[[], Tables]] = {name: partial(activities, name) for name in VARIANTS}
    for name, tables in (names | {"gestures": gestures}).items():
        for seed in range(options.seeds):
            folder = run_of(name.replace(" ", "-"), tables(), seed, options.generations)
            front = load_front(folder)
            best = front.recommended()
            hertz = load_device("cortex-m4f").clock.value * 1e6  # type: ignore[attr-defined]
            for member in front:
                values = member.values
                row = {
                    **{"part": "search", "data": name, "seed": seed, "family": FAMILY, "model": member.name},
                    **{"recommended": int(member is best), "promised": 1 - values["honest_error"]},
                    **{"score": values[SCORE], "weights": values["weights"], "latency_s": values["measured_latency_s"]},
                    **{key: values[f"measured_{key}"] for key in ("flash_bytes", "ram_bytes")},
                    "cycles_per_s": values["cpu_load"] * hertz,
                }
                yield row | (_played(folder, member.name) if member is best else {})


def _played(folder: Path, file: str) -> Row:
    scores = play_test(folder, file)
    shares = [right / of for right, of in scores.subjects.values() if of]
    events = scores.events
    return {
        "windows": int(scores.confusion.sum()),
        "recordings_right": scores.recordings[0],
        "recordings": scores.recordings[1],
        "worst_subject": min(shares),
        "spans": events.spans,
        "found": events.found,
        "delay_s": float(np.median(events.delays_s)) if events.found else np.nan,
        "alarms_per_hour": events.false_alarms_per_hour,
        "reported": events.accuracy,
    }


def peers(options: argparse.Namespace) -> Iterator[Row]:
    """On the features of the same filter, of the split by subject."""
    del options
    for name in VARIANTS:
        table = load_table(config_of(activities(name), "the benchmark"))
        for row in peer_rows(name, table, 0):
            yield {"part": "peers", **row}


def subjects(options: argparse.Namespace) -> Iterator[Row]:
    """Each subject left out of a search of its own."""
    for name in VARIANTS:
        for subject in SUBJECTS[: options.subjects]:
            found = left_out(name, activities(name), subject, 0, options.subject_generations)
            about = {"part": "subjects", "data": name, "seed": 0, "family": FAMILY, "model": f"without {subject}"}
            print(f"{name}, without {subject}: {found['score']:.3f}", file=sys.stderr)
            yield about | found


PARTS: dict[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
    "search": search_rows,
    "peers": peers,
    "subjects": subjects,
}


def text_of(rows: Sequence[Row]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: f"{value:.6g}" if isinstance(value, float) else value for name, value in row.items()})
    return out.getvalue()


def read_rows(path: Path) -> list[Row]:
    return [*csv.DictReader(path.read_text().splitlines())] if path.is_file() else []


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--parts", nargs="*", choices=list(PARTS), default=list(PARTS), help="default: all")
    made.add_argument("--seeds", type=int, default=5, help="searches of each data; default: %(default)s")
    made.add_argument("--generations", type=int, default=60, help="of a search; default: %(default)s")
    made.add_argument("--subjects", type=int, default=30, help="left out, one by one; default: %(default)s")
    made.add_argument("--subject-generations", type=int, default=20, help="of such a search; default: %(default)s")
    made.add_argument("--out", type=Path, default=Path("results/recordings.csv"), help="default: %(default)s")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    options = parser().parse_args(argv)
    try:
        for part in options.parts:
            rows = [row for row in read_rows(options.out) if row["part"] != part]
            rows += list(PARTS[part](options))
            store({options.out: text_of(rows)})
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    rows = read_rows(options.out)
    store({options.out.with_suffix(".md"): page(rows, options.out.stem)})
    save(picture(rows), options.out.with_suffix(".png"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
