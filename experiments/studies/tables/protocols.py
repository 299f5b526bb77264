"""Scores and weights of all models on all tables under one protocol, with the published ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from experiments.common.paper_tables import CLASSIFICATION
from experiments.common.statistics import Summary, summary
from experiments.rendering.published_figures import PUBLISHED, Published
from experiments.rendering.scores import KINDS, Scored, mean_weights, means_by_seed, scores_of, values
from experiments.rendering.text import NONE, figure, right, whole

ByTable = Mapping[str, Mapping[int, Scored]]

ABOUT = {
    "honest": "Training rows alone choose everything: scaling, structure, epochs, hyper-parameters and the member of "
    "the front. Test rows are scored once. The settings of the evolved trees are the same for all tables; they were "
    "chosen on hold-outs inside the training rows of three further seeds. The published models were scaled on all rows "
    "and used other hold-outs.",
    "reference": "The published protocol: the best score *on the test rows* over all updates. Here it applies to the "
    "last training of one tree, which training rows chose and trained before. This training lasts another 500 epochs "
    "of single rows, as many as for the published trees, and keeps the weights that are best on the test rows. "
    "Unlike the published trees, ours were scaled on training rows alone, and hold-outs keep the proportions of the "
    "classes. Use these scores only for comparison with the published ones; they are not estimates for new data.",
}


def spread(found: Summary) -> str:
    """As in ``.891 ± .030``, without the deviation if there is only one value."""
    return figure(found.mean) if found.values == 1 else f"{figure(found.mean)} ± {figure(found.sd)}"


def section(rows: Sequence[Mapping[str, str]], protocol: str) -> str | None:
    """None if no row belongs to the protocol."""
    scores = scores_of(rows, protocol)
    if not scores:
        return None
    parts = [f"## Protocol: {protocol}", ABOUT[protocol]]
    for title, tables in KINDS:
        there = {entry: of for entry, of in scores.items() if any(table in of for table in tables)}
        header = ("model", "seeds", *tables, "mean")
        for name, line in LINES if there else ():
            lines = [[entry.label, _seeds(of, tables), *line(of, tables)] for entry, of in there.items()]
            lines += published_lines(protocol, tables, name)
            parts += [f"### {title}: {name}", right(header, lines)]
    return "\n\n".join(parts)


def _seeds(of: ByTable, tables: Sequence[str]) -> str:
    counts = [len(of[table]) for table in tables if table in of]
    return str(counts[0]) if min(counts) == max(counts) else f"{min(counts)}-{max(counts)}"


def _scores(cell: Callable[[Summary], str]) -> Callable[[ByTable, Sequence[str]], list[str]]:
    def line(of: ByTable, tables: Sequence[str]) -> list[str]:
        """The last cell is the mean over tables, summarised over seeds."""
        over = list(means_by_seed(of, tables).values())
        lists = [list(values(of[table]).values()) if table in of else [] for table in tables]
        return [cell(summary(some)) if some else NONE for some in (*lists, over)]

    return line


def _weights(of: ByTable, tables: Sequence[str]) -> list[str]:
    lists = [list(values(of[table], "weights").values()) if table in of else None for table in tables]
    return [*(whole(None if some is None else float(np.mean(some))) for some in lists), whole(mean_weights(of, tables))]


LINES: tuple[tuple[str, Callable[[ByTable, Sequence[str]], list[str]]], ...] = (
    ("mean ± sd", _scores(spread)),
    ("median", _scores(lambda found: figure(found.median))),
    ("weights, mean", _weights),
)


def published_lines(protocol: str, tables: Sequence[str], name: str) -> list[list[str]]:
    """The published means for the table of means, the published weights for the table of weights."""
    index = 0 if tables == CLASSIFICATION else 1
    cells: dict[str, Callable[[Published], list[str]]] = {
        "mean ± sd": lambda row: [
            *(figure(row.scores.get(table)) for table in tables),
            figure((row.classification, row.regression)[index]),
        ],
        "weights, mean": lambda row: [*(NONE for _ in tables), whole(row.weights[index] if row.weights else None)],
    }
    rows = [row for row in PUBLISHED if row.protocol == protocol]
    return [[f"*published: {row.label}*", "30", *cells[name](row)] for row in rows] if name in cells else []
