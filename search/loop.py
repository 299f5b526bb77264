"""The loop of a run: step, save, say; stop at the end of a generation where asked to."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Any

import jax

from neuraltree.train import compilations
from search.config import Config
from search.data import Table
from search.engine import Info, State, begin, step
from search.finish import live_front, write_front, write_live
from search.front import load_front
from search.problem import Setup, set_up
from search.progress import Phases, Reporter
from search.records import HISTORY, RunFolder, write_csv, write_npz
from search.snapshot import archive, members_to_arrays, state_from_parts, state_to_parts

LIBRARIES = ("neuraltree", "numpy", "scipy", "scikit-learn", "jax", "jaxlib", "optax", "deap", "moocore", "msgspec")


def evolve(config: Config, table: Table, folder: RunFolder, report: Reporter) -> int:
    """Run, or go on with, the search in a folder; returns the exit code."""
    _use_compilation_cache()
    setup = set_up(config, table)
    folder.update_manifest(status="running", **_facts(setup))
    phases = Phases()
    stored = folder.load_checkpoint()
    report.begin(
        _heading(config, table, setup, folder), config.search.generations, stored[1]["generation"] if stored else 0
    )
    with _interrupts(report) as stopping:
        if stored:
            state, history = state_from_parts(*stored), stored[1]["history"]
        else:
            state, info = begin(setup.problem, setup.evolution, phases)
            history = _save(folder, setup, state, info, [], phases, report)
        while state.generation < config.search.generations and not stopping():
            state, info = step(setup.problem, setup.evolution, state, phases)
            history = _save(folder, setup, state, info, history, phases, report)
    if state.generation < config.search.generations:
        folder.update_manifest(status="interrupted")
        report.end(f"saved; go on with: python -m search.run {folder.path} --resume", phases.total)
        return 130
    with phases("finish"):
        count = _complete(folder, setup, table, state, history)
    report.end(_verdict(folder, count), phases.total)
    return 0


def _save(
    folder: RunFolder,
    setup: Setup,
    state: State,
    info: Info,
    history: list[list[Any]],
    phases: Phases,
    report: Reporter,
) -> list[list[Any]]:
    """Write what the generation brought; the checkpoint comes last, so what it promises is there."""
    with phases("save"):
        folder.save_archive_part(state.generation, members_to_arrays(info.evaluated))
        write_live(folder, setup, live_front(setup, state))
    seconds = phases.take()
    row = [state.generation, state.evaluations, info.hypervolume, len(info.front), info.best_error]
    row += [seconds.get(name, 0.0) for name in ("vary", "train", "cost", "select", "save")] + [compilations()]
    history = [*history, row]
    with phases("save"):
        arrays, facts = state_to_parts(state)
        folder.save_checkpoint(state.generation, arrays, {**facts, "history": history})
        write_csv(folder.path / "history.csv", HISTORY, history)
    report.generation(dict(zip(HISTORY, row, strict=True)) | _speed(setup, info, seconds))
    return history


def _speed(setup: Setup, info: Info, seconds: dict[str, float]) -> dict[str, float]:
    """Trees and weight·samples trained a second, over the whole generation and its training."""
    rows = sum(len(fit) for fit, _ in setup.problem.folds) * setup.problem.epochs
    weights = float(info.evaluated.columns["weights"].sum())
    return {
        "trees_per_s": len(info.evaluated.trees) / sum(seconds.values()),
        "weight_samples_per_s": weights * rows / seconds["train"],
    }


def _complete(folder: RunFolder, setup: Setup, table: Table, state: State, history: list[list[Any]]) -> int:
    from search.pictures import draw_front, draw_hypervolume

    count = write_front(folder, setup, table, state)
    if parts := folder.archive_parts():
        write_npz(folder.path / "archive.npz", archive(parts))
    draw_front(folder.path / "front.png", load_front(folder.path), f"{table.target} ({table.kind}), {count} models")
    draw_hypervolume(folder.path / "hypervolume.png", [row[0] for row in history], [row[2] for row in history])
    folder.update_manifest(status="complete", evaluations=state.evaluations)
    folder.clear_archive_parts()
    return count


def _verdict(folder: RunFolder, count: int) -> str:
    if not count:
        return f"no tree met the constraints; loosen them or search longer. The run is in {folder.path}"
    front = load_front(folder.path)
    lines = [f"{count} models in {folder.path / 'front.csv'}; picture: {folder.path / 'front.png'}"]
    for name, member in (("most accurate", front[0]), ("knee", front.knee())):
        lines.append(
            f"  {name}: {member.path.name}, {member.weights:.0f} weights, "
            f"validation error {member.val_error:.4f}, test score {member.test_score:.4f}"
        )
    return "\n".join(lines)


def _heading(config: Config, table: Table, setup: Setup, folder: RunFolder) -> str:
    return (
        f"{Path(config.data.source).name}: {len(table.X)} rows ({len(setup.test_rows)} for the test), "
        f"{table.X.shape[1]} features, {table.kind}; {config.search.population} trees, "
        f"{config.search.generations} generations, objectives {', '.join(config.search.objectives)}; into {folder.path}"
    )


def _facts(setup: Setup) -> dict[str, Any]:
    """What the manifest says of where and how a run was made."""
    return {
        "objectives": list(setup.evolution.objectives),
        "reference_point": [float(value) for value in setup.evolution.reference],
        "versions": {name: version(name) for name in LIBRARIES} | {"python": platform.python_version()},
        "git_commit": _git_commit(),
        "machine": {"system": platform.system(), "architecture": platform.machine(), "cores": os.cpu_count()},
        "train_rows": len(setup.train_rows),
        "test_rows": len(setup.test_rows),
    }


def _git_commit() -> str | None:
    """The commit of the checkout this code runs from, if it is one."""
    if not shutil.which("git"):
        return None
    here = Path(__file__).parent
    found = subprocess.run(["git", "-C", str(here), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or None


def _use_compilation_cache() -> None:
    """Compiled programs are kept between runs, unless the user has said where or that they are not."""
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
        jax.config.update("jax_compilation_cache_dir", str(home / "neuraltree"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


@contextmanager
def _interrupts(report: Reporter) -> Iterator[Any]:
    """Inside, the first Ctrl-C (or SIGTERM) asks to stop after the generation; the second stops at once."""
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        report.message("stopping after this generation; press Ctrl-C again to stop at once")

    kept = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
