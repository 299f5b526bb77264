"""Searches on recordings, kept in the user's cache, and what their models do on the test."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.signals.activity_data import Tables, without_subject
from neuraltree.caches import cache_folder
from neuraltree.hardware.measure import store
from neuraltree.signals.recordings.subsets import of_part
from neuraltree.signals.signal_model import load
from search.cli.signals.signal_files import label_rule_of, precision_of
from search.config.config import config_from, config_of, load_config
from search.engine.evolution_step import generations
from search.engine.problem import natural_truth, set_up
from search.front import Front, Member
from search.judge.finish import finalists, judged_front, last_front
from search.judge.test_scores import Tested, test_scores
from search.playback.play_scores import Scores, scores_of
from search.playback.played import check_recordings, played
from search.run import begin
from search.runs.progress import Phases, reporter
from search.table.signals.chosen_recordings import chosen_recordings
from search.variation.genes import HOP

CORE, COMPILER, PRECISION = "cortex-m4f", "clang-Os", "int8"
OBJECTIVES = ["error", "flash_bytes", "cpu_load"]
POPULATION, MOST_NODES, MOST_FLASH = 100, 120, 4096
SCORE = "int8_test_score"


def settings(tables: Tables, seed: int, last: int, out: Path) -> Tables:
    """The config of a search for small integer code."""
    return tables | {
        "search": {"population": POPULATION, "generations": last, "objectives": OBJECTIVES},
        "hardware": {"device": CORE, "precision": PRECISION, "compiler": COMPILER},
        "space": {"max_nodes": MOST_NODES},
        "constraints": {"flash_bytes": MOST_FLASH},
        "baselines": {"models": []},
        "run": {"seed": seed, "out": str(out)},
    }


def run_of(name: str, tables: Tables, seed: int, last: int) -> Path:
    """The folder of a finished run, which is made if it is not there."""
    known = json.dumps(settings(tables, seed, last, Path()), sort_keys=True)
    folder = cache_folder("fronts") / f"signals-{name}-{store.key(known)[:16]}"
    if not (folder / "front.csv").is_file():
        config = config_from(settings(tables, seed, last, folder), (), "the benchmark")
        begin(config, reporter(quiet=True, as_json=False), time.perf_counter(), dry_run=False)
    return folder


def play_test(folder: Path, file: str) -> Scores:
    """What a model of a run does on the recordings of the test, by windows and by events."""
    path, config = folder / "signals" / file, load_config(folder / "config.toml")
    model, found = load(path), chosen_recordings(config)
    named = config.signal.test_subjects
    own = tuple(one for one in found.recordings if one.group in named)
    found = check_recordings(model, replace(found, recordings=own) if named else of_part(found, "testing"))
    return scores_of(model, played(model, found, precision_of(path), label_rule_of(path, model)))


def left_out(variant: str, tables: Tables, subject: str, seed: int, last: int) -> dict[str, float]:
    """The recommended model of a search without a subject, on that subject's windows."""
    table = without_subject(variant, subject)
    config = config_of(settings(tables, seed, last, Path()), "the benchmark")
    setup = set_up(config, table, workers=1)
    state, _ = next(islice(generations(setup.problem, setup.strategy, Phases()), last, None))
    count, last_ones = state.evaluations, finalists(setup, state)
    front, _ = judged_front(setup, table, last_ones, _quiet, lambda: False, evaluations=count)
    members = last_front(setup, table, front, _quiet, lambda: False, evaluations=count)
    rows = tuple(Member("ok", member.values, model=member.tree) for member in members)
    chosen = Front(rows, setup.strategy.objectives).recommended()
    place = rows.index(chosen)
    tested = Tested(members[place].tree, PRECISION, int(members[place].values.get(HOP, 0)))
    (scores,) = test_scores(setup, table, natural_truth(setup, table, setup.problem.task), [tested])
    return {"score": scores[SCORE], "flash_bytes": chosen.values["flash_bytes"], "windows": len(setup.test_rows)}


def _quiet(text: str) -> None:
    del text


def within(front: Front, flash_bytes: float) -> Member | None:
    """The member of the lowest honest error whose measured code fits."""
    fitting = [one for one in front if one.values.get("measured_flash_bytes", np.inf) <= flash_bytes]
    return min(fitting, key=lambda one: one.values["honest_error"]) if fitting else None
