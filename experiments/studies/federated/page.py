"""results/federated.md and .png."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from experiments.common.statistics import paired, signed_rank_p
from experiments.rendering.searches import ResultRows, difference, names, seeds_of, spread
from experiments.rendering.text import figure, page, right, whole
from experiments.studies.federated.client_rows import ALPHA, SHARDS
from experiments.studies.federated.federated_search import GENERATIONS, PLAN, POPULATION, SEARCH
from experiments.studies.federated.run import BATCH, CLIENTS, EPOCHS, IMAGES, LOCAL, PIXEL_CLIENTS, POOLED, RATE, ROUNDS
from neuraltree.plot import style
from search.folder.records import write_text
from search.pictures.run_pictures import save

TITLE, COMMAND = "Federated learning of trees", "`python -m experiments.run studies/federated`"
AVERAGED = tuple(f"averaged, {epochs}" for epochs in EPOCHS)
BEST = AVERAGED[-1]
TEXT = """Made by {command}; {seeds} per table. Clients keep their rows. Every round sends one tree's weights to all
clients; each trains for {epochs} epochs (SGD, rate {rate:g}, batches of {batch}), and the weights come back and are
averaged by the clients' numbers of rows (McMahan et al. 2017, FedAvg). Inputs are scaled by counts, sums and sums of
squares. All ways begin with the same random tree; {most} epochs in one place ("pooled") and by each client alone
("local"; the mean over clients by their rows, and the worst client). {clients} clients on tables, {pixel_clients} on
{images} images of MNIST, one for each of 24 subjects on HAPT, whose other 6 subjects are the test. Rows are dealt at
random, or "by label" in shares of a Dirichlet distribution ({alpha:g}; bins of the target of friedman), or in {shards}
shards of sorted labels for each client. Test rows are scored and choose nothing. Bytes: rounds x clients x 2 x 4 x
weights. Secure aggregation is out of scope: the coordinator sees each client's weights, from which rows may be guessed.
The deck names federated learning as a possible solution and gives no figures. Brackets: quartiles after medians, the
95 % interval of the bootstrap over hold-outs after mean differences; p: Wilcoxon's signed-rank test, not corrected for
the number of rows."""
PICTURE = "![Test score over the bytes that travelled](federated.png)"
ROUNDS_TEXT = """## Rounds and bytes

Median test scores after so many rounds, of {kinds} epochs of each client in a round."""
SEARCHED = """## Structures evolved by clients

The project's own search with clients as folds: {population} trees and {generations} generations, every tree trained in
{rounds} rounds of {epochs} epochs; a quarter of each client's rows validates, and only weights and errors travel.
Labels are skewed as above. *Pooled* and *local*: the same search with all rows as one client, and by each client
alone. Bytes are those of all trees together. The tree with the lowest validation error is scored."""


def render(rows: ResultRows, results: Path) -> None:
    trained, evolved = ([row for row in rows if (row["job"] == SEARCH) == own] for own in (False, True))
    parts = []
    if trained:
        parts += [_last(trained), PICTURE, _by_round(trained)]
    if evolved:
        text = SEARCHED.format(population=POPULATION, generations=GENERATIONS, rounds=PLAN.rounds, epochs=PLAN.epochs)
        parts += [text, _evolved(evolved)]
    write_text(results / "federated.md", page(TITLE, _text(rows), *parts))
    if trained:
        save(picture(trained), results / "federated.png")


def headline(rows: ResultRows) -> str:
    trained = [row for row in rows if row["job"] != SEARCH]
    text = f"{COMMAND}; [federated.md](federated.md)."
    return "\n\n".join(part for part in (f"## {TITLE}", text, _last(trained) if trained else "") if part)


def _text(rows: ResultRows) -> str:
    return TEXT.format(
        command=COMMAND,
        seeds=seeds_of(rows),
        epochs=" or ".join(map(str, EPOCHS)),
        rate=RATE,
        batch=BATCH,
        most=ROUNDS * max(EPOCHS),
        clients=CLIENTS,
        pixel_clients=PIXEL_CLIENTS,
        images=whole(IMAGES),
        alpha=ALPHA,
        shards=SHARDS,
    )


def scores(rows: ResultRows, case: tuple[str, str], method: str, column: str = "test_score") -> dict[int, float]:
    """By seed, those of the last round."""
    own = [row for row in rows if (row["table"], row["job"], row["method"]) == (*case, method)]
    last = max((int(row["round"]) for row in own), default=0)
    return {int(row["seed"]): float(row[column]) for row in own if int(row["round"]) == last}


def cases(rows: ResultRows) -> list[tuple[str, str]]:
    return list(dict.fromkeys((row["table"], row["job"]) for row in rows))


def _apart(rows: ResultRows, case: tuple[str, str], method: str, base: str) -> str:
    first, second = paired(scores(rows, case, method), scores(rows, case, base))
    if not len(first):
        return ""
    p = signed_rank_p(first, second)
    return f"{difference(first, second, p).text(3)}, p = {p:.2g}"


def _last(rows: ResultRows) -> str:
    lines = []
    for case in cases(rows):
        cells = [spread(scores(rows, case, method).values(), 3) for method in (POOLED, LOCAL)]
        cells.append(figure(float(np.median(list(scores(rows, case, LOCAL, "worst_score").values())))))
        cells += [spread(scores(rows, case, method).values(), 3) for method in AVERAGED]
        sent = whole(np.median(list(scores(rows, case, BEST, "bytes").values())) / 1000)
        lines.append([", ".join(case), *cells, _apart(rows, case, BEST, POOLED), _apart(rows, case, BEST, LOCAL), sent])
    head = [
        "table, rows",
        POOLED,
        LOCAL,
        "worst client",
        *AVERAGED,
        f"{BEST} − {POOLED}",
        f"{BEST} − {LOCAL}",
        "KB sent",
    ]
    return right(head, lines)


def _by_round(rows: ResultRows) -> str:
    shown = sorted({int(row["round"]) for row in rows if row["method"] in AVERAGED})
    lines = []
    for case in cases(rows):
        for method in AVERAGED:
            own = [row for row in rows if (row["table"], row["job"], row["method"]) == (*case, method)]
            cells = [_median(own, "test_score", number) for number in shown]
            each = _median(own, "bytes", shown[0])
            lines.append([f"{', '.join(case)}, {method}", *map(figure, cells), whole(each / shown[0])])
    text = ROUNDS_TEXT.format(kinds=" or ".join(map(str, EPOCHS)))
    return f"{text}\n\n{right(['', *map(str, shown), 'bytes a round'], lines)}"


def _median(rows: ResultRows, column: str, number: int) -> float:
    return float(np.median([float(row[column]) for row in rows if int(row["round"]) == number]))


def _evolved(rows: ResultRows) -> str:
    lines = []
    for case in cases(rows):
        for method in (POOLED, LOCAL, "averaged"):
            cells = [spread(scores(rows, case, method, column).values(), 3) for column in ("test_score", "worst_score")]
            amounts = [np.median(list(scores(rows, case, method, name).values())) for name in ("weights", "bytes")]
            apart = "" if method == POOLED else _apart(rows, case, method, POOLED)
            lines.append([f"{case[0]}, {method}", *cells, apart, whole(amounts[0]), whole(amounts[1] / 1000)])
    return right(["", "test score", "worst client", f"− {POOLED}", "weights", "KB sent"], lines)


def picture(rows: ResultRows) -> Figure:
    """A panel for each table: medians over the bytes; dots at the left: pooled and local."""
    tables = names(rows, "table")
    made = Figure(figsize=(1.5 + 2.3 * len(tables), 3.2), layout="constrained")
    panels = made.subplots(1, len(tables), squeeze=False)[0]
    for ax, table in zip(panels, tables, strict=True):
        for case, line in zip([case for case in cases(rows) if case[0] == table], ("-", "--"), strict=False):
            for method, colour in zip(AVERAGED, (style.BLUE, style.VERMILION), strict=True):
                own = [row for row in rows if (row["table"], row["job"], row["method"]) == (*case, method)]
                shown = sorted({int(row["round"]) for row in own})
                x, y = ([_median(own, column, number) for number in shown] for column in ("bytes", "test_score"))
                ax.plot(np.array(x) / 1000, y, line, color=colour, marker="o", ms=2.5, label=f"{method}, {case[1]}")
            for method, colour in ((POOLED, style.BLACK), (LOCAL, style.GREY)):
                level = float(np.median(list(scores(rows, case, method).values())))
                ax.axhline(level, ls=line, lw=1, color=colour, label=f"{method}, {case[1]}")
        ax.set(title=table, xscale="log", xlabel="KB sent")
        ax.grid(alpha=0.25)
    panels[0].set_ylabel("test score")
    panels[0].legend(frameon=False, fontsize=6)
    return made
