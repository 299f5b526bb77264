"""Forecasts of two series by trees that are fed samples, beside the last value, a linear model and small networks.

Rows are split in time; training rows whose targets lie beyond the first test decision are left out. Every model has the
same rows and the same integers as inputs. The errors of trees are those of the firmware's twin, sample by sample;
``same_in_c`` says whether the compiled C gave its values, all of them.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from experiments.common.known_series.time_series import MACKEY_GLASS, SERIES_J
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.studies.series.forecast_tasks import TASKS, config_tables, write_series
from experiments.studies.series.other_models import other_rows
from neuraltree.export.signals.signal_library import export_signal
from neuraltree.hardware.measure.cores import MeasureError
from neuraltree.signals.recordings.reading_recordings import read_recordings
from neuraltree.signals.signal_model import SignalModel, load
from search import load_front
from search.cli.signals.signal_files import reading_of
from search.config.config import Config, config_of
from search.front import Member
from search.playback.forecast_play import Forecast, forecast_scores, forecasts, value_differences
from search.playback.played import check_recordings
from search.run import begin
from search.runs.progress import reporter
from search.table.loading import load_table
from search.table.signals.series_rows import truths_of
from search.table.splits import split

FLOAT, INT8, OTHERS = "float32", "int8", "others"
JOBS = (FLOAT, INT8, OTHERS)
COLUMNS = ("model", "nodes", "params", "train_rows", "test_rmse", "flash_bytes", "latency_s", "same_in_c", "fit_s")


def units(seeds: int, quick: bool) -> list[Unit]:
    return [Unit(table, job, seed) for seed in range(seeds) for table in TASKS for job in JOBS][: 3 if quick else None]


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    made = "by the code" if unit.table == MACKEY_GLASS else hashlib.sha256(SERIES_J.read_bytes()).hexdigest()
    return {"data": made, "config": config_tables(unit.table, unit.job, 0, quick, Path())}


def run(unit: Unit, quick: bool) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="neuraltree-") as name:
        folder = Path(name)
        write_series(unit.table, folder / "series.csv")
        precision = FLOAT if unit.job == OTHERS else unit.job
        config = config_of(config_tables(unit.table, precision, unit.seed, quick, folder), "the study")
        table = load_table(config)
        parts = split(table, config.data.test_fraction, unit.seed)
        if unit.job == OTHERS:
            return [dict.fromkeys(COLUMNS) | row for row in other_rows(table, *parts, unit.seed, TASKS[unit.table])]
        begun = time.process_time()
        begin(config, reporter(True, False), time.perf_counter(), dry_run=False)
        seconds = time.process_time() - begun
        front = load_front(folder / "run")
        chosen = {"neural": front.select(), "neural_knee": front.select("knee")}
        about = {"train_rows": len(parts[0]), "fit_s": seconds}
        first = int(table.moments[parts[1], 1].min()) if table.moments is not None else 0
        rows = {name: _of_member(member, config, first) for name, member in chosen.items()}
        return [{"model": f"{name}_{unit.job}"} | about | row for name, row in rows.items()]


def _of_member(member: Member, config: Config, first: int) -> Row:
    """``first``: the samples that are there at the first test decision."""
    assert member.path is not None
    file = Path(config.run.out) / "signals" / member.path.name
    model, precision, signal = load(file), config.hardware.first_format, config.signal
    found = read_recordings(Path(config.data.source), reading_of(file, model))
    truths = truths_of(found, signal.target)
    [play] = forecasts(model, check_recordings(model, found), truths, signal.horizon, precision)
    tested = play._replace(truth=np.where(play.decisions.ends >= first, play.truth, np.nan))
    return {
        "nodes": model.tree.num_nodes,
        "params": model.tree.num_weights,
        "test_rmse": forecast_scores([tested]).rmse,
        "flash_bytes": member.values["flash_bytes"],
        "latency_s": member.values["latency_s"],
        "same_in_c": _same_in_c(model, play, precision),
    }


def _same_in_c(model: SignalModel, play: Forecast, precision: str) -> int | None:
    """None without a compiler."""
    try:
        return int(not value_differences(export_signal(model, "played", precision=precision), [play], precision))
    except MeasureError:
        return None


EXPERIMENT = Experiment(
    "studies/series",
    "forecasts of Mackey-Glass and the gas furnace by trees that are fed samples, beside ordinary models",
    5,
    COLUMNS,
    units,
    run,
    settings,
)
