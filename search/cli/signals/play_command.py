"""``neuraltree play``: recordings played through a model that is fed samples, and how good its decisions are."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from neuraltree.cli.command import BAD_INPUT, DONE

if TYPE_CHECKING:
    from neuraltree.signals.one_class import OneClassModel
    from neuraltree.signals.rejection import Rejection
    from neuraltree.signals.signal_model import SignalModel
    from search.playback.play_scores import Scores
    from search.playback.played import Played

EPILOG = """examples:
  neuraltree play gestures recordings/testing
  neuraltree play gestures recordings --part testing --c
  neuraltree play gestures/signals/003.json recordings --out decisions.csv

Each recording is played from a reset on. --c compiles the exported C on this machine, plays the same samples through
it, and compares every feature, score, class and event with those of Python. A model that predicts a number is compared
with what came and with the last value; the values of its float code may differ from Python's by rounding.

exit codes: 0 done, 2 bad input, or the C decides otherwise"""


def add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("model", metavar="MODEL", type=Path, help="the run folder of recordings, or a model of it")
    made.add_argument("recordings", metavar="RECORDINGS", type=Path, help="a folder, .zip or file of recordings")
    made.add_argument("--part", choices=("training", "testing"), help="only the recordings of this part")
    made.add_argument("--c", action="store_true", help="play them through the exported C, too, and compare")
    made.add_argument("--precision", help="the number format of the code; by default that of the run")
    made.add_argument("--out", metavar="FILE.csv", type=Path, help="a file for all decisions, a line each")


def play(options: argparse.Namespace) -> int:
    """Returns the exit code."""
    from neuraltree.cli.command import say
    from neuraltree.cli.patience import patience
    from neuraltree.export.signals.packages.signal_targets import SIGNAL_TARGETS
    from neuraltree.signals.recordings.reading_recordings import read_recordings
    from neuraltree.signals.recordings.subsets import of_part
    from neuraltree.signals.signal_model import SignalModel
    from search.cli.signals.play_values import play_values
    from search.cli.signals.signal_files import label_rule_of, precision_of, reading_of, signal_model_of
    from search.playback.play_scores import scores_of
    from search.playback.played import check_recordings, differences, of_channels, played

    path, model = signal_model_of(options.model)
    precision = options.precision or precision_of(path)
    with patience(say, "reading recordings"):
        found = read_recordings(options.recordings, reading_of(path, model))
    found = of_part(found, options.part) if options.part else found
    if isinstance(model, SignalModel) and model.tree.classes is None:
        return play_values(options, path, model, found, precision)
    found = check_recordings(model, found) if isinstance(model, SignalModel) else of_channels(model.front_end, found)
    with patience(say, "playing recordings"):
        plays = played(model, found, precision, label_rule_of(path, model))
    if isinstance(model, SignalModel):
        _tell(model, plays, scores_of(model, plays))
    else:
        _tell_unknown(model, plays, found.classes)
    if options.out:
        _write(options.out, model, plays, found.classes)
    if not options.c:
        return DONE
    with patience(say, "playing recordings through C"):
        wrong = differences(SIGNAL_TARGETS["c"].make(model, "played", precision=precision), plays)
    count = sum(len(one.decisions.ends) for one in plays)
    print(f"the exported C decides the same in all {count} windows" if not wrong else "\n".join(wrong))
    return BAD_INPUT if wrong else DONE


def _tell_unknown(model: OneClassModel, plays: list[Played], classes: tuple[str, ...]) -> None:
    from rich.table import Table

    from neuraltree.cli.console import Output
    from search.playback.unknown_windows import unknown_windows

    hop_s = model.front_end.hop / model.front_end.rate_hz
    table = Table("label", "windows", "unknown", "", "alarms", "per hour", "AUROC", title="windows that are unknown")
    for row in unknown_windows(plays, classes, model.normal, hop_s):
        share, auroc = f"{100 * row.unknown / row.windows:.1f} %", "" if row.auroc != row.auroc else f"{row.auroc:.3f}"
        counts = (str(row.windows), str(row.unknown), share, str(row.alarms), f"{row.alarms / row.hours:.1f}")
        table.add_row(row.label, *counts, auroc)
    Output().print(table)


def _tell(model: SignalModel, plays: list[Played], scores: Scores) -> None:
    import numpy as np
    from rich.table import Table

    from neuraltree.cli.console import Output

    out, classes = Output(), [str(label) for label in model.tree.classes or ()]
    table = Table("label", *classes, "windows", "right", title="windows by label and decision")
    for i, name in enumerate(classes):
        row = scores.confusion[i]
        share = f"{100 * row[i] / row.sum():.1f} %" if row.sum() else ""
        table.add_row(name, *map(str, row.tolist()), str(row.sum()), share)
    out.print(table)
    events, lines = scores.events, []
    total = int(scores.confusion.sum())
    if total:
        lines.append(f"windows: {100 * scores.accuracy:.1f} % of {total} are right")
        worst = min(scores.subjects, key=lambda name: scores.subjects[name][0] / max(scores.subjects[name][1], 1))
        right, of = scores.subjects[worst]
        if len(scores.subjects) > 1 and of:
            lines.append(f"worst of {len(scores.subjects)} subjects or recordings: {worst}, {100 * right / of:.1f} %")
    if model.rejection is not None:
        lines.append(_unknown(model.rejection, plays))
    if scores.recordings[1]:
        lines.append("recordings of one label, by majority: {} of {} are right".format(*scores.recordings))
    if events.labelled:
        delay = f", after {np.median(events.delays_s):.2f} s (median)" if events.found else ""
        lines.append(
            f"events: {events.found} of {events.spans} stretches found{delay}; {events.false_alarms} false alarms in "
            f"{events.hours:.2f} h ({events.false_alarms_per_hour:.2f} per hour); the label is reported for "
            f"{100 * events.accuracy:.1f} % of the time"
        )
    out.print("\n".join(lines), highlight=False, soft_wrap=True)


def _unknown(rejection: Rejection, plays: list[Played]) -> str:
    """The shares of windows that are unknown by their features, with a label of the model and without one."""
    import numpy as np

    rejected = np.concatenate([rejection.rejected(one.decisions.features) for one in plays])
    known = np.concatenate([one.labels >= 0 for one in plays])
    shares = [
        f"{np.count_nonzero(rejected[some])} of {np.count_nonzero(some)} {what}"
        for some, what in ((known, "with a label that the model knows"), (~known, "without one"))
        if some.any()
    ]
    return f"unknown windows: {', '.join(shares)}"


def _write(path: Path, model: SignalModel | OneClassModel, plays: list[Played], classes: tuple[str, ...]) -> None:
    import csv

    from neuraltree.signals.event_rule import NONE, UNKNOWN
    from neuraltree.storing import replacing

    told = {NONE: "", UNKNOWN: "unknown"}
    labels, names = (dict(enumerate(map(str, each))) | told for each in (classes, model.classes or ()))
    rate_hz = model.front_end.rate_hz
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["recording", "subject", "time_s", "label", "class", "reported", "event"])
        for one in plays:
            columns = one.decisions.ends, one.labels, one.decisions.classes, one.course.reported, one.course.events
            for end, label, found, reported, event in zip(*(column.tolist() for column in columns), strict=True):
                row = (labels[label], names[found], names[reported], names[event])
                writer.writerow([one.recording.name, one.recording.subject, f"{end / rate_hz:.3f}", *row])
