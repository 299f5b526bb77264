"""The loop of a run: step, save, report; stop at the end of a generation if asked to."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from neuraltree.cli.command import DONE, INTERRUPTED
from neuraltree.cli.patience import patience
from neuraltree.engine.lowering import engine_name, what_is_missing
from neuraltree.storing import sync
from search.card.card_files import write_run_card
from search.config.config import Config, config_hash
from search.engine.evaluate import validation_outputs
from search.engine.evolution_step import Info, State, generations
from search.engine.problem import Setup, set_up
from search.errors import DamagedError
from search.executors.work_folder import WorkFolder
from search.executors.worker_kinds import THREADS, spread
from search.folder.baselines_csv import load_baselines
from search.folder.columns import told_tests
from search.folder.generation_parts import join_parts
from search.folder.history import ROW, lines_of_history, of_generation
from search.folder.history_table import TABLE, add_line, line_of, mend_table, table_rows
from search.folder.records import RunFolder
from search.folder.run_energy import CPU_SECONDS, energy_facts, energy_words
from search.folder.snapshot import members_to_arrays, state_from_parts, state_to_parts
from search.front import load_front
from search.interrupts import resume_command
from search.judge.baseline_training import affordable, train_baselines
from search.judge.finish import write_front, write_live
from search.judge.measured_front import nothing_measured
from search.judge.notices import at_end, at_start
from search.runs.ending import Ending, length_of
from search.runs.indicators import HISTORY, row_of, speed_of
from search.runs.progress import Phases, Reporter
from search.runs.tracking import tracked
from search.strict import one_line
from search.table.data import Table
from search.table.splits import told
from search.teachers.named_teachers import named_lessons

MEASURING = ("ziglang", "unicorn", "capstone", "pyelftools")
LIBRARIES = ("neuraltree", "numpy", "scipy", "scikit-learn", "jax", "jaxlib", "optax", "deap", "moocore", "msgspec")
PICTURES_S = 2.0  # the time of the pictures and the last files


def evolve(
    config: Config,
    table: Table,
    folder: RunFolder,
    report: Reporter,
    stopping: Callable[[], bool] = lambda: False,
    begun: float | None = None,
    workers: str = THREADS,
) -> int:
    """Run or resume the search in a folder until it is done or ``stopping()`` is true; returns the exit code.

    ``begun``: the value of ``time.perf_counter`` from which the time of the run counts, by default now. ``workers``:
    who trains the trees, see ``search.executors.worker_kinds``.
    """
    begun = time.perf_counter() if begun is None else begun
    plain = set_up(config, table)
    facts = _facts(config, table, plain)
    if changed := _changed(folder.read_manifest(), facts):
        report.message(
            f"{', '.join(changed)} changed since the run began: results will not be bit-identical to the original run"
        )
    folder.update_manifest(status="running", **facts)
    report = tracked(report, config, folder)
    phases = Phases()
    ending = Ending(config.search, begun=begun, stream=table.stream)
    with ExitStack() as leaving:
        leaving.callback(report.close)
        with phases("teachers") if config.train.teachers else nullcontext():
            taught = named_lessons(plain, table, config.train, report.message)
        helped = spread(workers, config, table, taught, folder.path, report.message)
        setup, lesson = leaving.enter_context(helped)
        phases.take()  # they are no part of the first generation
        with phases("baselines") if config.search.time else nullcontext():
            predict = partial(affordable, config.baselines.models, plain, table, report.message)
            models = ending.afford(config.baselines.models, predict, rest_s=PICTURES_S)
        reached = _search(config, table, setup, folder, ending, phases, report, stopping)
        if reached is None:
            folder.update_manifest(status="interrupted", **energy_facts(config.energy, phases.cpu_s))
            report.end(f"saved; resume it with: {resume_command(folder.path)}", phases.total)
            return INTERRUPTED
        with phases("finish"):
            judged = write_front(folder, setup, table, reached, report.message, stopping, lesson)
            front = load_front(folder.path)
            if nothing_measured(setup.problem, front):
                made, device = shlex.quote(str(folder.models)), shlex.quote(config.hardware.device)
                report.warning(
                    "no model could be measured, so all costs are predicted; see why with: python -m "
                    f"neuraltree.hardware {made} --device {device} --measure"
                )
        chosen = front.members.index(front.recommended()) if len(front) else 0
        if models and len(front):
            with phases("baselines"):
                train_baselines(models, plain, table, folder, judged.parts[chosen], report.message, stopping)
        with phases("finish"), patience(report.message, "writing the last files"):
            _complete(config, table, folder, len(front), reached, phases, report.warning)
        if judged.held_out and len(front):
            problem, outputs = judged.held_out[0], validation_outputs(*judged.held_out)
            for line in at_end(table, problem, outputs, judged.thresholds, chosen):
                report.message(line)
        said = (_verdict(folder, config.space.max_nodes), energy_words(folder.read_manifest()))
        report.end("\n".join(filter(None, said)), phases.total)
        return DONE


def _changed(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What differs from the beginning of the run, among the facts that its bits depend on."""
    if "versions" not in before:
        return []
    changed = [name for name, number in now["versions"].items() if before["versions"].get(name) != number]
    # The variants of the kernel give the same bits. Runs of older versions name no engine, but another one made them.
    same = str(before.get("engine", "")).split()[:1] == now["engine"].split()[:1]
    return changed if same else [*changed, "the engine"]


def _search(
    config: Config,
    table: Table,
    setup: Setup,
    folder: RunFolder,
    ending: Ending,
    phases: Phases,
    report: Reporter,
    stopping: Callable[[], bool],
) -> State | None:
    """The last state, or ``None`` if the search was asked to stop."""
    state, cpu_s = _restored(folder, report.warning)
    phases.go_on(cpu_s)
    ending.go_on(table_rows(folder.path), folder.read_manifest().get("timed_from", 0))
    for line in (what_is_missing(), *at_start(table, setup)):
        if line:
            report.message(line)
    report.begin(_heading(config, table, setup, folder), ending.generations, state.generation if state else 0)
    coming = generations(setup.problem, setup.strategy, phases, state)
    ended = folder.read_manifest().get("search_ended")  # time has ended the search, and the process ended later
    while not stopping():
        if state is not None and state.generation == ended:
            return state
        if state is not None and (why := ending.why(state.generation)):
            if ending.generations is None:
                report.message(f"{why}: the search ends after generation {state.generation}")
                folder.update_manifest(search_ended=state.generation)
            return state
        state, info = next(coming)
        seconds = _save(folder, setup, state, info, phases, report)
        ending.note(setup, state, info, seconds)
    return None


def _restored(folder: RunFolder, warn: Callable[[str], None]) -> tuple[State | None, float]:
    """The state of the last checkpoint, and the CPU seconds of the run so far; history.csv ends with its generation.

    No state if there is no checkpoint yet. Of a process that was killed, only its time up to the last checkpoint is
    known.
    """
    stored, cpu_s = folder.load_checkpoint(), float(folder.read_manifest().get(CPU_SECONDS, 0.0))
    if stored is None:
        mend_table(folder.path, HISTORY, -1, ())
        return None, cpu_s
    try:
        cpu_s = max(cpu_s, float(stored[1].get(CPU_SECONDS, 0.0)))
        state = state_from_parts(*stored)
        # Checkpoints of older versions hold all rows.
        older = [line_of(row) for row in stored[1].get("history", ())]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {one_line(error)}"
        raise DamagedError(
            f"the last checkpoint in {folder.checkpoints} is damaged: {reason}; move its two files away to resume from "
            "the previous one"
        ) from None
    lost = mend_table(folder.path, HISTORY, state.generation, older or lines_of_history(folder))
    if lost:
        warn(f"{lost} of {state.generation + 1} rows of {folder.path / TABLE} are lost; all else goes on as before")
    return state, cpu_s


def _save(
    folder: RunFolder, setup: Setup, state: State, info: Info, phases: Phases, report: Reporter
) -> dict[str, float]:
    """Write the files of a generation; the checkpoint comes last, so that all files it relies on exist.

    Returns the seconds of the phases since the last generation was saved, and of its saving.
    """
    seconds = phases.take()
    row = row_of(state, info, seconds)
    with phases("save"):
        line = line_of(row.values())
        happened = of_generation(state, info) | {ROW: np.array([line])}
        folder.save_parts(state.generation, members_to_arrays(info.evaluated), happened)
        write_live(folder, setup, state.members.take(info.front))
        add_line(folder.path, HISTORY, line)
        arrays, facts = state_to_parts(state)
        folder.save_checkpoint(state.generation, arrays, {**facts, CPU_SECONDS: phases.cpu_s})
    report.generation(row | speed_of(setup, state, info, seconds))
    return seconds


def _complete(
    config: Config,
    table: Table,
    folder: RunFolder,
    count: int,
    state: State,
    phases: Phases,
    warn: Callable[[str], None],
) -> None:
    from search.pictures import draw_front, draw_hypervolume

    done = join_parts(folder, warn)
    title = f"{Path(config.data.source).name}: {table.target} ({table.kind}), {count} model{'s' * (count != 1)}"
    draw_front(folder.path / "front.png", load_front(folder.path), title, load_baselines(folder.path))
    rows = table_rows(folder.path)
    volumes = [row["hypervolume"] for row in rows]
    draw_hypervolume(folder.path / "hypervolume.png", [int(row["generation"]) for row in rows], volumes)
    sync(folder.path / TABLE)  # the log that holds its rows too is about to go
    folder.update_manifest(evaluations=state.evaluations, generations=state.generation)
    if count:
        write_run_card(folder.path)  # while the run is not complete, so that no kill leaves one without it
    folder.update_manifest(status="complete", **energy_facts(config.energy, phases.cpu_s))
    folder.clear_parts(done)
    folder.end.clear()
    WorkFolder(folder.path).remove()


def _verdict(folder: RunFolder, max_nodes: int) -> str:
    front = replace(load_front(folder.path), max_nodes=max_nodes)
    if not len(front):
        return f"no tree met the constraints; loosen them or search longer. The run is in {folder.path}"
    count, knee = len(front), front.knee()
    lines = [f"{count} model{'s' * (count != 1)} in {folder.path / 'front.csv'}; picture: {folder.path / 'front.png'}"]
    said, *compared = front.summary().splitlines()
    member, about = front.recommended(), said.removeprefix("recommended: ")
    lines.append(f"  recommended: {member.path}, {about}; {told_tests(member.values)}")
    lines.append(
        f"  knee: {knee.path}, {knee.weights:.0f} weights, honest error {knee.honest_error:.4f} ± "
        f"{knee.honest_error_se:.4f}; {told_tests(knee.values)}"
    )
    lines += [f"  {line}" for line in compared]
    return "\n".join(lines)


def _heading(config: Config, table: Table, setup: Setup, folder: RunFolder) -> str:
    rows = table.counted(setup.train_rows, setup.test_rows)
    return (
        f"{Path(config.data.source).name}: {sum(rows.values())} rows ({rows['test']} of them test rows), "
        f"{table.X.shape[1]} features, {table.kind}; {config.search.population} trees, "
        f"{length_of(config.search)}, objectives {', '.join(config.search.objectives)}; "
        f"engine: {engine_name()}; results in {folder.path}"
    )


def _measuring(setup: Setup) -> dict[str, str]:
    """Further causes of a run's costs on a device: the device's profile and the packages that measure the front."""
    if setup.problem.device is None:
        return {}
    profile = hashlib.sha256(msgspec.json.encode(setup.problem.device, order="sorted")).hexdigest()[:16]
    found = dict.fromkeys(MEASURING, "absent")
    for name in MEASURING:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return {"device profile": profile, **found}


def _facts(config: Config, table: Table, setup: Setup) -> dict[str, Any]:
    """The facts in the manifest on where and how a run was made."""
    return {
        "seed": config.run.seed,
        "config_hash": config_hash(config),
        "data_hash": table.digest,
        "objectives": list(setup.strategy.objectives),
        "reference_point": [float(value) for value in setup.strategy.reference],
        "engine": engine_name(),
        "versions": {name: version(name) for name in LIBRARIES}
        | {"python": platform.python_version()}
        | _measuring(setup),
        "git_commit": _git_commit(),
        "machine": {"system": platform.system(), "architecture": platform.machine(), "cores": os.cpu_count()},
        **_data_facts(config, table, setup),
    }


def _data_facts(config: Config, table: Table, setup: Setup) -> dict[str, Any]:
    """What a card says of the data. ``class_rows``: the rows of each class, in order; None for a regression."""
    parts = {"train": setup.train_rows, "test": setup.test_rows}
    counts = (
        {part: np.bincount(table.y[rows], minlength=len(table.classes)).tolist() for part, rows in parts.items()}
        if table.classes
        else None
    )
    return {
        "target": table.target,
        **({"label_window": table.label_window} if table.front else {}),
        **{f"{part}_rows": count for part, count in table.counted(*parts.values()).items()},
        "class_rows": table.stream.class_rows if table.stream else counts,
        "split": told(table, config.data, setup.train_rows, setup.test_rows),
        "notes": at_start(table, setup),
    }


def _git_commit() -> str | None:
    """The commit of the checkout this code runs from, if it is one."""
    if not shutil.which("git"):
        return None
    here = Path(__file__).parent
    found = subprocess.run(["git", "-C", str(here), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or None
