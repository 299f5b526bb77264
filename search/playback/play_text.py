"""The scores of played recordings on a terminal, and all decisions as a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.markup import escape
from rich.table import Table

from neuraltree.cli.console import Output
from neuraltree.signals.event_rule import NONE, UNKNOWN
from neuraltree.signals.one_class import OneClassModel
from neuraltree.signals.rejection import Rejection
from neuraltree.signals.signal_model import SignalModel
from neuraltree.storing import replacing
from search.playback.play_scores import Scores
from search.playback.played import Played
from search.playback.unknown_windows import unknown_windows

COLUMNS = ("recording", "subject", "time_s", "label", "class", "reported", "event")


def print_scores(model: SignalModel, plays: Sequence[Played], scores: Scores) -> None:
    out = Output()
    out.print(_confusion([str(label) for label in model.tree.classes or ()], scores))
    rejected = [] if model.rejection is None else [_rejected(model.rejection, plays)]
    out.print("\n".join([*_lines(scores), *rejected]), highlight=False, soft_wrap=True, markup=False)


def print_unknown(model: OneClassModel, plays: Sequence[Played], classes: Sequence[str]) -> None:
    """What a model of one class says of recordings with the labels ``classes``."""
    hop_s = model.front_end.hop / model.front_end.rate_hz
    table = Table("label", "windows", "unknown", "", "alarms", "per hour", "AUROC", title="windows that are unknown")
    for row in unknown_windows(plays, tuple(classes), model.normal, hop_s):
        share, auroc = f"{100 * row.unknown / row.windows:.1f} %", "" if np.isnan(row.auroc) else f"{row.auroc:.3f}"
        counts = (str(row.windows), str(row.unknown), share, str(row.alarms), f"{row.alarms / row.hours:.1f}")
        table.add_row(escape(row.label), *counts, auroc)
    Output().print(table)


def _rejected(rejection: Rejection, plays: Sequence[Played]) -> str:
    """The shares of windows that are unknown by their features, with a label of the model and without one."""
    rejected = np.concatenate([rejection.rejected(one.decisions.features) for one in plays])
    known = np.concatenate([one.labels >= 0 for one in plays])
    shares = [
        f"{np.count_nonzero(rejected[some])} of {np.count_nonzero(some)} {what}"
        for some, what in ((known, "with a label that the model knows"), (~known, "without one"))
        if some.any()
    ]
    return f"unknown windows: {', '.join(shares)}"


def _confusion(classes: Sequence[str], scores: Scores) -> Table:
    names = list(map(escape, classes))
    table = Table("label", *names, "windows", "right", title="windows by label and decision")
    for i, name in enumerate(names):
        row = scores.confusion[i]
        share = f"{100 * row[i] / row.sum():.1f} %" if row.sum() else ""
        table.add_row(name, *map(str, row.tolist()), str(row.sum()), share)
    return table


def _lines(scores: Scores) -> list[str]:
    events, lines = scores.events, []
    if total := int(scores.confusion.sum()):
        lines.append(f"windows: {100 * scores.accuracy:.1f} % of {total} are right")
    else:
        lines.append("no window has a label that is a class of the model, so nothing can be scored")
    if len(subjects := scores.worst_first) > 1:
        name, right, of = subjects[0]
        lines.append(f"worst of {len(subjects)} subjects or recordings: {name}, {100 * right / of:.1f} %")
    if scores.recordings[1]:
        lines.append("recordings of one label, by majority: {} of {} are right".format(*scores.recordings))
    if events.labelled:
        delay = f", after {np.median(events.delays_s):.2f} s (median)" if events.found else ""
        lines.append(
            f"events: {events.found} of {events.spans} stretches found{delay}; {events.false_alarms} false alarms in "
            f"{events.hours:.2f} h ({events.false_alarms_per_hour:.2f} per hour); the label is reported for "
            f"{100 * events.accuracy:.1f} % of the time"
        )
    return lines


def write_decisions(
    path: Path, model: SignalModel | OneClassModel, plays: Sequence[Played], classes: Sequence[str]
) -> None:
    """``classes``: those of the labels, which can be others than the model's."""
    told = {NONE: "", UNKNOWN: "unknown"}
    labels, names = (dict(enumerate(map(str, each))) | told for each in (classes, model.classes or ()))
    rate_hz = model.front_end.rate_hz
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for one in plays:
            columns = one.decisions.ends, one.labels, one.decisions.classes, one.course.reported, one.course.events
            for end, label, found, reported, event in zip(*(column.tolist() for column in columns), strict=True):
                row = (labels[label], names[found], names[reported], names[event])
                writer.writerow([one.recording.name, one.recording.subject, f"{end / rate_hz:.3f}", *row])
