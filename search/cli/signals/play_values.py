"""What ``neuraltree play`` does with a model that predicts a number."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from neuraltree.cli.command import BAD_INPUT, DONE

if TYPE_CHECKING:
    from neuraltree.signals.recordings.recording import Recordings
    from neuraltree.signals.signal_model import SignalModel


def play_values(options: argparse.Namespace, file: Path, model: SignalModel, found: Recordings, precision: str) -> int:
    """``file``: of the model, in its run. Returns the exit code."""
    from neuraltree.cli.command import say
    from neuraltree.cli.patience import patience
    from search.cli.signals.signal_files import target_of
    from search.playback.forecast_play import forecast_scores, forecasts, told, value_differences, write_values
    from search.playback.played import check_recordings
    from search.table.signals.series_rows import truths_of

    target, horizon = target_of(file)
    with patience(say, "playing recordings"):
        plays = forecasts(model, check_recordings(model, found), truths_of(found, target), horizon, precision)
    print(told(forecast_scores(plays), target, horizon))
    if options.out:
        write_values(options.out, model.front_end.rate_hz, plays)
    if not options.c:
        return DONE
    from neuraltree.export.signals.signal_library import export_signal

    with patience(say, "playing recordings through C"):
        wrong = value_differences(export_signal(model, "played", precision=precision), plays, precision)
    count = sum(len(one.decisions.ends) for one in plays)
    print(f"the exported C gives the same {count} values" if not wrong else "\n".join(wrong))
    return BAD_INPUT if wrong else DONE
