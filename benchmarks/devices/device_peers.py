"""Our trees beside other small models on emulated microcontrollers: score against cycles and against flash.

``python -m benchmarks.run device_peers`` writes ``device_peers.csv``, ``.md`` and a picture a core into results/. It
needs the extra dev and arm-none-eabi-gcc; the table gas needs the folder uci beside the papers' tables. Searches,
cross-validations and measurements are kept in the user's cache folder, so an interrupted run resumes where it stopped.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from rich.console import Console
from threadpoolctl import threadpool_limits

from benchmarks.devices.device_page import page
from benchmarks.devices.device_picture import picture
from benchmarks.devices.device_tasks import TABLES, Task, score, task_of
from benchmarks.devices.meter import measured
from benchmarks.devices.models import cmsis_code, emlearn_code
from benchmarks.devices.models.candidates import Candidate
from benchmarks.devices.models.decision_trees import decision_trees
from benchmarks.devices.models.linear_code import linear_models
from benchmarks.devices.models.our_trees import FORMATS, our_trees
from benchmarks.devices.models.scaled_models import perceptrons
from neuraltree.hardware.measure.cores import CORES, MeasureError
from neuraltree.hardware.measure.toolchains import available_compilers, version
from neuraltree.storing import store
from search.errors import InputError

INTERRUPTED = 130
HEAD = ("table", "seed", "core", "compiler", "inputs", "family", "model", "promised", "score", "instructions")
COLUMNS = (*HEAD, "cycles", "flash_bytes", "ram_bytes", "rows", "same")
Row = dict[str, Any]
Job = tuple[str, int, tuple[str, ...], int]  # table, hold-out, compilers, generations


def peers(task: Task) -> list[Candidate]:
    """All models but ours."""
    networks = list(perceptrons(task))
    return [
        *linear_models(task),
        *decision_trees(task),
        *emlearn_code.forests(task),
        *(emlearn_code.network(task, *each) for each in networks),
        *(model for each in networks for model in cmsis_code.network(task, *each)),
    ]


def rows_of(job: Job) -> list[Row]:
    table, seed, compilers, generations = job
    task = task_of(table, seed)
    with threadpool_limits(1):  # each job has a core
        others = peers(task)
    return [
        row
        for core in FORMATS
        for compiler in compilers
        for model in (*our_trees(task, core, generations), *others)
        for row in _row(model, task, core, compiler)
    ]


def _row(model: Candidate, task: Task, core: str, compiler: str) -> Iterator[Row]:
    if model.library and compiler != "gcc":
        return  # its free-standing target has no <math.h>
    about = {"table": task.table, "seed": task.seed, "core": core, "compiler": compiler, "inputs": model.inputs}
    kept = score(model.answers, task.test_y, task.classes)
    named = {"family": model.family, "model": model.name, "promised": model.promised, "score": kept}
    yield about | named | measured(model, task, core, compiler)


def text_of(rows: Sequence[Row]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        short = {name: f"{value:.6g}" if isinstance(value, float) else value for name, value in row.items()}
        writer.writerow(short)
    return out.getvalue()


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--tables", nargs="*", choices=list(TABLES), default=list(TABLES), help="default: all")
    made.add_argument("--hold-outs", type=int, default=3, help="of each table; default: %(default)s")
    made.add_argument("--generations", type=int, default=30, help="of our searches; default: %(default)s")
    made.add_argument(
        "--compiler", nargs="+", choices=("gcc", "clang"), default=["gcc", "clang"],
        help="the first for all hold-outs, others for hold-out 0; default: gcc clang",
    )  # fmt: skip
    made.add_argument("--workers", type=int, default=2, help="hold-outs at once; default: %(default)s")
    made.add_argument("--out", type=Path, default=Path("results/device_peers.csv"), help="default: %(default)s")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    options = parser().parse_args(argv)
    compilers = tuple(name for name in options.compiler if "cortex-m4f" in available_compilers().get(name, ()))
    if not compilers:
        print("error: no compiler to measure with: pip install 'neuraltree[measure]'", file=sys.stderr)
        return 2
    jobs = [
        (name, seed, compilers if seed == 0 else compilers[:1], options.generations)
        for seed in range(options.hold_outs)
        for name in reversed(options.tables)  # the slowest first
    ]
    try:
        rows = collected(jobs, options.workers)
    except (MeasureError, InputError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; searches and measurements are kept, the same command resumes", file=sys.stderr)
        return INTERRUPTED
    out: Path = options.out
    text = page(rows, {name: version(CORES["cortex-m4f"], name) for name in compilers}, out.stem)
    pictures = {out.with_name(f"{out.stem}_{core}.png"): picture(rows, core) for core in FORMATS}
    out.parent.mkdir(parents=True, exist_ok=True)
    store({out: text_of(rows), out.with_suffix(".md"): text, **pictures})
    Console().print(text, markup=False, highlight=False, soft_wrap=True)
    return 0


def collected(jobs: Sequence[Job], workers: int) -> list[Row]:
    console, found = Console(stderr=True), {}
    for job, rows in _done(jobs, workers):
        found[job] = rows
        console.print(f"{len(found)}/{len(jobs)} {job[0]}, hold-out {job[1]}: {len(rows)} measurements")
    return [row for job in sorted(jobs, key=lambda job: (list(TABLES).index(job[0]), job[1])) for row in found[job]]


def _done(jobs: Sequence[Job], workers: int) -> Iterator[tuple[Job, list[Row]]]:
    """Jobs with their rows, in the order in which they are done."""
    if workers == 1:
        yield from ((job, rows_of(job)) for job in jobs)
        return
    with ProcessPoolExecutor(workers) as pool:
        waiting = {pool.submit(rows_of, job): job for job in jobs}
        try:
            yield from ((waiting[done], done.result()) for done in as_completed(waiting))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


if __name__ == "__main__":
    sys.exit(main())
