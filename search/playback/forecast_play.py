"""Recordings played through a regression: the values that it gives, beside what came, and beside the last value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.formats import c_format
from neuraltree.export.signals.twin import Decisions, stream
from neuraltree.signals.recordings.recording import Recording, Recordings
from neuraltree.signals.recordings.sample_counts import to_counts
from neuraltree.signals.signal_model import SignalModel

CLOSE = 1e-4  # how far float code may be from Python, as a share of the largest magnitude of its values


class Forecast(NamedTuple):
    """One recording: ``counts`` (samples, channels) int16 that went in, the ``decisions``, and each (decisions,) the
    ``truth``, NaN where the recording ends before, and the target's value ``now``, at the decision."""

    recording: Recording
    counts: NDArray[np.int16]
    decisions: Decisions
    truth: FloatArray
    now: FloatArray


class ForecastScores(NamedTuple):
    """Of the values whose truth is there: their number, root mean squared errors in the target's unit, of the model and
    of the value at the decision, and R². NaN where there is nothing to compare."""

    values: int
    rmse: float
    persistence_rmse: float
    r2: float


def forecasts(
    model: SignalModel, recordings: Recordings, truths: Sequence[FloatArray], horizon: int, precision: str
) -> list[Forecast]:
    """Each recording from a reset on, by the twin of the code in NumPy. ``recordings``: see ``check_recordings``.
    ``truths``: of each, (samples,) of the channel that is predicted."""
    found = []
    for one, truth in zip(recordings.recordings, truths, strict=True):
        counts = to_counts(one.samples, model.front_end.counts_per_unit)
        made = stream(model, counts, precision)
        padded = np.concatenate([truth, np.full(horizon, np.nan)])
        now = padded[made.ends - 1] if horizon else np.full(len(made.ends), np.nan)
        found.append(Forecast(one, counts, made, padded[made.ends - 1 + horizon], now))
    return found


def forecast_scores(plays: Sequence[Forecast]) -> ForecastScores:
    truth, now = (np.concatenate([getattr(one, name) for one in plays]) for name in ("truth", "now"))
    value = np.concatenate([one.decisions.values for one in plays]).astype(np.float64)
    known = np.isfinite(truth)
    if not known.any():
        return ForecastScores(0, *[float("nan")] * 3)
    truth, now, value = truth[known], now[known], value[known]
    errors = np.square(value - truth)
    spread = float(np.square(truth - truth.mean()).sum())
    r2 = 1 - float(errors.sum()) / spread if spread else float("nan")
    rmse, persistence = (float(np.sqrt(np.mean(one))) for one in (errors, np.square(now - truth)))
    return ForecastScores(len(truth), rmse, persistence, r2)


def told(scores: ForecastScores, target: str, horizon: int) -> str:
    """For people, in two lines."""
    if not scores.values:
        return "no value can be compared: the recordings end before"
    ahead = f"{horizon} samples ahead" if horizon != 1 else "1 sample ahead"
    first = f"{target} {ahead if horizon else 'at the same time'}: {scores.values} values, "
    first += f"RMSE {scores.rmse:.4g}, R² {scores.r2:.4f}"
    if not horizon:
        return first
    better = "better" if scores.rmse < scores.persistence_rmse else "not better"
    return f"{first}\nthe last value instead: RMSE {scores.persistence_rmse:.4g}; the model is {better}"


def value_differences(files: Mapping[str, str], plays: Sequence[Forecast], precision: str) -> list[str]:
    """Where the exported C in ``files`` gives other values than Python: a line for each recording that differs.

    Features, and values of integer code, must be the same; others within ``CLOSE``. ``MeasureError`` if this machine
    has no compiler.
    """
    from neuraltree.hardware.signals.replay import replay_all

    largest = max((float(np.abs(one.decisions.values).max(initial=0)) for one in plays), default=0.0)
    allowed = 0.0 if c_format(precision).is_integer else CLOSE * largest
    found = []
    for one, other in zip(plays, replay_all(files, [one.counts for one in plays]), strict=True):
        own = one.decisions
        same = np.array_equal(own.ends, other.ends) and np.array_equal(own.features, other.features)
        if not same:
            found.append(f"{one.recording.name}: features differ")
        elif float(np.abs(own.values - other.values).max(initial=0)) > allowed:
            found.append(f"{one.recording.name}: values differ by {np.abs(own.values - other.values).max():.3g}")
    return found


def write_values(path: Path, rate_hz: float, plays: Sequence[Forecast]) -> None:
    """A CSV file, a line for each decision; ``time_s``: of the decision."""
    import csv

    from neuraltree.storing import replacing

    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["recording", "subject", "time_s", "value", "truth"])
        for one in plays:
            rows = zip(one.decisions.ends.tolist(), one.decisions.values.tolist(), one.truth.tolist(), strict=True)
            for end, value, truth in rows:
                cells = [f"{end / rate_hz:.6g}", f"{value:.9g}", "" if np.isnan(truth) else f"{truth:.9g}"]
                writer.writerow([one.recording.name, one.recording.subject, *cells])
