"""Trees that judge the cost model; none of them was used in calibration."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from neuraltree.caches import cache_folder
from neuraltree.hardware.calibrate.calibration_trees import TABLES, random_trees, trained_trees
from neuraltree.hardware.calibrate.profile_file import SEED, TRAINED_SHARE
from neuraltree.hardware.profile.load import load_device
from neuraltree.tree.tree import Tree
from search.front import Front, load_front

JUDGED_SEED = 2  # calibration has 0, and 1 for its own residuals
DEVICE = "cortex-m4f"  # of the searches
CALIBRATED = 161  # trees: ``--trees`` of the calibration that the shipped profiles are of
OBJECTIVES = ("error", "log_loss", "latency_s", "flash_bytes")
CONFIG = """[data]
source = "{table}"

[run]
seed = {seed}

[search]
population = {population}
generations = {generations}
objectives = {objectives}

[hardware]
device = "{device}"
"""


@dataclass(frozen=True)
class Amounts:
    """How many trees of each kind; ``members`` of each front, spread over it; ``fitted`` are for the baselines."""

    random: int = 100
    trained: int = 60
    members: int = 15
    fitted_random: int = CALIBRATED - round(CALIBRATED * TRAINED_SHARE)
    fitted_trained: int = round(CALIBRATED * TRAINED_SHARE)
    population: int = 100
    generations: int = 30
    tables: tuple[str, ...] = TABLES


def judged_trees(amounts: Amounts) -> dict[str, list[Tree]]:
    """Random trees, trained trees, and members of the fronts of short searches."""
    return {
        "random": random_trees(amounts.random, JUDGED_SEED),
        "trained": trained_trees(amounts.trained, JUDGED_SEED),
        "fronts": [tree for table in amounts.tables for tree in members(front(table, amounts), amounts.members)],
    }


def calibration_trees(amounts: Amounts) -> list[Tree]:
    """The trees that ``calibrate`` fits to."""
    trained = trained_trees(amounts.fitted_trained, SEED) if amounts.fitted_trained else []
    return random_trees(amounts.fitted_random, SEED) + trained


def members(found: Front, most: int) -> list[Tree]:
    """At most so many trees of a front, evenly from the most accurate to the least."""
    chosen = {round(i * (len(found) - 1) / max(most - 1, 1)) for i in range(min(most, len(found)))}
    return [found[i].tree() for i in sorted(chosen)]


def front(table: str, amounts: Amounts) -> Front:
    """The front of a search with a device; kept under the hash of its settings and the device's figures."""
    names = [name for name in OBJECTIVES if name != "log_loss" or table != "diabetes"]
    objectives = "[" + ", ".join(f'"{name}"' for name in names) + "]"
    text = CONFIG.format(
        table=table,
        device=DEVICE,
        seed=JUDGED_SEED,
        population=amounts.population,
        generations=amounts.generations,
        objectives=objectives,
    )
    known = text + repr(load_device(DEVICE))
    folder = cache_folder("fronts") / hashlib.sha256(known.encode()).hexdigest()[:16]
    if not (folder / "front.csv").is_file():
        _search(text, folder)
    return load_front(folder)


def _search(text: str, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    config, unfinished = folder.with_suffix(".toml"), folder.with_suffix(".part")
    config.write_text(text, encoding="utf-8")
    shutil.rmtree(unfinished, ignore_errors=True)  # left by an interrupted run
    command = [sys.executable, "-m", "search.run", *map(str, (config, "--out", unfinished)), "--quiet"]
    if code := subprocess.run(command, check=False).returncode:
        raise SystemExit(code)  # the run has printed the reason
    unfinished.rename(folder)
