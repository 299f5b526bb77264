"""Any table in, one command: tables with the faults that people's files have, as they are.

``python -m benchmarks.run messy`` writes eight such tables, adds penguins, credit-g (if the folder uci is there) and
one of 200 columns, and for each runs ``neuraltree fit`` and ``neuraltree export --to c``, whose code is compiled and
checks itself. The same search gets the same rows of the clean table from scikit-learn's imputer and one-hot encoder.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.inputs.clean_pipeline import score_of
from benchmarks.inputs.messy_files import File, files, kept
from benchmarks.promise.reporting import report
from neuraltree.cli.markdown import table as markdown
from search.config.config import load_config
from search.front import load_front
from search.table import load_table, split

NEURALTREE = (sys.executable, "-c", "from search.cli.neuraltree_command import run; run()")
NO_COMPILER = "no compiler"
SAME = {"time": "pipeline, same time", "generations": "pipeline, same generations"}


def compiler() -> list[str]:
    """A C compiler from PATH, or that of the wheel ziglang; empty if there is none."""
    if found := shutil.which("cc"):
        return [found]
    return [sys.executable, "-m", "ziglang", "cc"] if find_spec("ziglang") else []


def checked(folder: Path) -> str:
    """Compile exported C in a folder and run its check: "passed", or what failed."""
    command = compiler()
    if not command:
        return NO_COMPILER
    sources = [*folder.glob("*.c"), *(folder / "test").glob("*.c")]
    for step in ([*command, "-std=c99", "-O1", f"-I{folder}", *map(str, sources), "-o", "check", "-lm"], ["./check"]):
        done = subprocess.run(step, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"failed: {(done.stderr or done.stdout).strip()[:200]}"
    return "passed"


def command(file: File, limit: str, seed: int, out: Path) -> list[str]:
    """What a user types."""
    about = ["--target", file.target, "--time", limit, "--seed", str(seed), "--out", str(out), "--quiet"]
    return [*NEURALTREE, "fit", file.source, *about, *file.options]


def measured(file: File, limit: str, seed: int, folder: Path) -> dict[str, Any]:
    """A run of the command, and the search behind scikit-learn's encoders."""
    out, code = folder / f"{file.name}-{seed}", folder / f"{file.name}-{seed}-c"
    begun = time.perf_counter()
    done = subprocess.run(command(file, limit, seed, out), capture_output=True, text=True, check=False)
    row: dict[str, Any] = {"seed": seed, "seconds": time.perf_counter() - begun}
    if done.returncode:
        return row | {"failed": done.stderr.strip()}
    export = [*NEURALTREE, "export", str(out), "--to", "c", "--out", str(code)]
    exported = subprocess.run(export, capture_output=True, text=True, check=False)
    config = load_config(out / "config.toml")
    table, truth = load_table(config), kept(file.truth)
    assert len(table.y) == len(truth.y)
    parts = split(table, config.data.test_fraction, seed)
    chosen = load_front(out).recommended()
    manifest = json.loads((out / "manifest.json").read_text())
    return row | {
        "rows": len(table.y),
        "features": len(table.features),
        "notes": [note.replace(f"{folder}/", "") for note in manifest.get("notes", [])],
        "generations": manifest["generations"],
        "score": chosen.values["test_score"],
        "weights": chosen.values["weights"],
        "c": checked(code) if exported.returncode == 0 else f"failed: {exported.stderr.strip()}",
        "pipeline": {
            "time": score_of(truth, parts, seed, limit),
            "generations": score_of(truth, parts, seed, manifest["generations"]),
        },
    }


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """The mean and its standard error, NaN for a single value."""
    error = np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return float(np.mean(values)), float(error)


def differences(rows: Sequence[dict[str, Any]], same: str) -> list[float]:
    """Of each run that ended: our score minus that of the pipeline with the same time or generations."""
    return [row["score"] - row["pipeline"][same]["score"] for row in rows if "failed" not in row]


def compared(tables: dict[str, list[dict[str, Any]]], same: str) -> dict[str, Any]:
    """The mean difference over the tables, and its standard error over the tables and over the seeds alone."""
    by_table = [found for rows in tables.values() if (found := differences(rows, same))]
    mean, of_tables = mean_and_error([float(np.mean(found)) for found in by_table])
    spread = [float(np.var(found, ddof=1)) / len(found) for found in by_table if len(found) > 1]
    of_seeds = float(np.sqrt(np.sum(spread)) / len(spread)) if spread else None
    within = bool(abs(mean) <= 2 * of_tables)
    return {"difference": mean, "over_tables": of_tables, "over_seeds": of_seeds, "within_noise": within}


def summary(tables: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    runs = [row for rows in tables.values() for row in rows]
    return {
        **{same: compared(tables, same) for same in SAME},
        "runs": len(runs),
        "failed": sum("failed" in row for row in runs),
        "c_passed": sum(row.get("c") == "passed" for row in runs),
    }


def page(result: dict[str, Any]) -> str:
    found = result["summary"]
    header = ("table", "rows", "features", "notes", "test score", *(SAME[same] for same in SAME), "C", "fit, s")
    lines = [_line(name, rows) for name, rows in result["tables"].items()]
    about = f"""Made by `{result["command"]}`. Each table is given as it is to `neuraltree fit`, with {result["time"]}
a search and {result["seeds"]} seeds; the recommended model is exported to C, compiled and run on its own vectors. The
pipeline is scikit-learn's imputer and one-hot encoder on the clean table, before the same search on the same rows: once
for the same time, which includes imports, and once for as many generations. Scores are R² or accuracy on the test rows,
means over the seeds, with the generations in brackets; then our score minus that of the pipeline, ± its standard error
over the seeds. Notes are what the program said it mended, or doubts."""
    told = [f"- {SAME[same]}: {_told(found[same])}" for same in SAME]
    done = f"Of {found['runs']} runs {found['failed']} failed; the C of {found['c_passed']} passed its check."
    notes = [f"- {name}: {note}" for name, rows in result["tables"].items() for note in _notes(rows)]
    parts = ("# Tables as they are", about, markdown(header, lines), "Our score minus that of the pipeline:")
    return "\n\n".join([*parts, "\n".join(told), done, "## Notes, of the first seed", "\n".join(notes)]) + "\n"


def _told(found: dict[str, Any]) -> str:
    seeds = "" if found["over_seeds"] is None else f", over seeds alone {found['over_seeds']:.4f}"
    verdict = "within" if found["within_noise"] else "not within"
    mean = f"{found['difference']:+.4f} ± {found['over_tables']:.4f}"
    return f"{mean} (standard error over the tables{seeds}), {verdict} two standard errors of 0"


def _notes(rows: Sequence[dict[str, Any]]) -> list[str]:
    first = rows[0]
    return [f"failed: {first['failed']}"] if "failed" in first else first["notes"]


def _line(name: str, rows: Sequence[dict[str, Any]]) -> list[str]:
    good = [row for row in rows if "failed" not in row]
    seconds = f"{np.mean([row['seconds'] for row in rows]):.1f}"
    if not good:
        return [name, *[""] * 5, "failed", "", seconds]
    counts = [f"{good[0][key]:,}" for key in ("rows", "features")]
    passed = sum(row["c"] == "passed" for row in good)
    beside = [
        f"{_score([row['pipeline'][same] for row in good])}: {_difference(differences(good, same))}" for same in SAME
    ]
    return [name, *counts, str(len(good[0]["notes"])), _score(good), *beside, f"{passed} of {len(rows)}", seconds]


def _score(rows: Sequence[dict[str, Any]]) -> str:
    score, generations = (np.mean([row[key] for row in rows]) for key in ("score", "generations"))
    return f"{score:.3f} ({generations:.0f})"


def _difference(found: Sequence[float]) -> str:
    mean, error = mean_and_error(found)
    return f"{mean:+.3f}" + ("" if np.isnan(error) else f" ± {error:.3f}")


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--time", default="15s", help="of each search; default: %(default)s")
    parser.add_argument("--seeds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--tables", nargs="*", help="names of tables; default: all")
    parser.add_argument("--out", type=Path, default=Path("results/messy.json"), help="default: %(default)s")
    options = parser.parse_args(argv)
    console, found = Console(stderr=True), {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        there = files(folder)
        if "credit-g" not in [file.name for file in there]:
            console.print("credit-g is left out: there is no folder uci beside the papers' tables")
        for file in there:
            if options.tables and file.name not in options.tables:
                continue
            found[file.name] = [measured(file, options.time, seed, folder) for seed in range(options.seeds)]
            console.print(" ".join(_line(file.name, found[file.name])), highlight=False)
    result = {"time": options.time, "seeds": options.seeds, "tables": found, "summary": summary(found)}
    report("messy", result, page, options.out)


if __name__ == "__main__":
    main()
