"""results/unknowns.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.rendering.searches import ResultRows, names, present, seeds_of
from experiments.rendering.text import figure, page, right, whole
from experiments.studies.unknowns.run import ALL, BEARING, MACHINES, PEER_SIZE, STREAMING, TABLES
from search.folder.records import write_text

TITLE, COMMAND = "Unknown windows", "`python -m experiments.run studies/unknowns`"
TEXT = """Made by {command}. *Size*: of the constants in C, or 4 B for each number of a detector of scikit-learn.
*AUROC*: how often a window of the unknown kind has a larger score than a known one. *Found* and *alarms*: the shares of
unknown and of known windows of the test part above a threshold that 1 % of held-out training windows exceed, of people,
machines or recordings that the detector was not learned from; *worst*: that 1 % of the windows of the worst held-out
group exceed."""
LEFT_OUT = """## A class left out

Each class in turn is unknown to the training part: HAPT's six activities by UCI's split of people, windows of 128
samples of six channels; four gestures by the folders of their archive. Features are those that tell the known classes
best. Means over the classes left out; the least AUROC beside it. *Mahalanobis, each class* has a centre for each known
class, and more than 100 B of constants where so stated. The confidence of a linear model is 1 - its largest
probability."""
MACHINE = """## Normal machines alone

Generated bearings ({seeds}): learned from sound machines, 18 recordings of 8 s in each case, tested on six others,
sound and with faults of three severities; windows of 512 samples at 2 kHz. Median over seeds, least and greatest in
brackets. *All*: features chosen from all candidates by their steadiness; *streaming*: from those that need no window in
RAM. The slight fault is within what machines differ by."""
SEVERITIES = ("slight", "moderate", "severe")


def render(rows: ResultRows, results: Path) -> None:
    parts = [TEXT.format(command=COMMAND), verdict(rows), LEFT_OUT, *_left_out(rows)]
    parts += [MACHINE.format(seeds=seeds_of([row for row in rows if row["table"] == BEARING])), *_machines(rows)]
    write_text(results / "unknowns.md", page(TITLE, *parts))


def headline(rows: ResultRows) -> str:
    return "\n\n".join((f"## {TITLE}", f"{COMMAND}; [unknowns.md](unknowns.md).", verdict(rows)))


def _of(rows: ResultRows, **wanted: object) -> ResultRows:
    return [row for row in rows if all(row[key] == str(value) for key, value in wanted.items())]


def _values(rows: ResultRows, column: str) -> list[float]:
    return [float(row[column]) for row in rows]


def _mean(rows: ResultRows, column: str, digits: int = 3) -> str:
    return figure(float(np.mean(_values(rows, column))), digits) if rows else figure(None)


def _spread(rows: ResultRows, column: str, digits: int = 2) -> str:
    found = _values(rows, column)
    if not found:
        return figure(None)
    return f"{figure(float(np.median(found)), digits)} ({figure(min(found), digits)}-{figure(max(found), digits)})"


def verdict(rows: ResultRows) -> str:
    """The main figures, as a list."""
    lines = []
    for table in present(TABLES, rows, "table"):
        own = _of(rows, table=table)
        count = names(own, "features")[0]
        told = [
            f"{method} {_mean(_of(own, method=method, features=count), 'auroc')}" for method in names(own, "method")
        ]
        lines.append(f"{table}, {count} features, mean AUROC of classes left out: {', '.join(told)}.")
    for job in present(tuple(MACHINES), rows, "job"):
        own = _of(rows, job=job, method="mahalanobis", set=ALL, features=PEER_SIZE)
        found = [f"{name} {_spread(_of(own, unknown=name), 'found_worst')}" for name in SEVERITIES]
        alarms = _spread(_of(own, unknown="severe"), "alarms_worst")
        lines.append(
            f"{job}, {PEER_SIZE} features, Mahalanobis in {own[0]['size_bytes']} B, threshold of the worst held-out "
            f"machine: alarms {alarms}; found {', '.join(found)}."
        )
    return "\n".join(f"- {line}" for line in lines)


def _left_out(rows: ResultRows) -> list[str]:
    found = []
    for table in present(TABLES, rows, "table"):
        own, lines = _of(rows, table=table), []
        for count in names(own, "features"):
            for method in names(own, "method"):
                each = _of(own, features=count, method=method)
                size = max(map(float, (row["size_bytes"] for row in each)))
                cells = [_mean(each, "auroc"), figure(min(_values(each, "auroc"))), *_four(each)]
                lines.append([method, count, whole(size) if size else "", *cells])
        header = ["method", "features", "size, B", "AUROC", "least", *FOUR]
        found.append(f"### {table}\n\n{right(header, lines)}")
    return found


FOUR = ("found", "alarms", "found, worst", "alarms, worst")


def _four(rows: ResultRows) -> list[str]:
    return [_mean(rows, column, 2) for column in ("found", "alarms", "found_worst", "alarms_worst")]


def _machines(rows: ResultRows) -> list[str]:
    found = []
    for job in present(tuple(MACHINES), rows, "job"):
        lines = []
        for which in (ALL, STREAMING):
            own = _of(rows, job=job, set=which)
            for count in sorted(names(own, "features"), key=int):
                for method in names(_of(own, features=count), "method"):
                    lines.append([method, which, count, *_machine_cells(_of(own, features=count, method=method))])
        header = ["method", "from", "features", "size, B", *(f"AUROC {name}" for name in SEVERITIES[1:])]
        header += ["alarms", *(f"found {name}" for name in SEVERITIES[1:]), "alarms, worst"]
        header += [f"found {name}, worst" for name in SEVERITIES[1:]]
        found.append(f"### {job}\n\n{right(header, lines, left=2)}")
    return found


def _machine_cells(rows: ResultRows) -> Sequence[str]:
    harder = [_of(rows, unknown=name) for name in SEVERITIES[1:]]
    cells = [whole(float(np.median(_values(rows, "size_bytes")))), *(_spread(each, "auroc") for each in harder)]
    for end in ("", "_worst"):
        cells += [_spread(harder[0], f"alarms{end}"), *(_spread(each, f"found{end}") for each in harder)]
    return cells
