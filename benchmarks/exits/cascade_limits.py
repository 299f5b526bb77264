"""Which rows should choose the limit of a cascade: training rows, or answers for held-out ones.

``python -m benchmarks.run cascade_limits`` needs the development problems, whose test sets are large. A short search on
a training sample makes a front. Its model of the lowest error is the large one of cascades with every smaller model.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console

from benchmarks.exits.exit_savings import GENERATIONS, POPULATION
from benchmarks.promise.problems import Sample, last_with_folds, prepared, sample
from benchmarks.promise.reporting import report
from neuraltree.cli.markdown import table
from neuraltree.compress import IntegerTree, quantize_tree
from neuraltree.compress.exits.cascade import Cascade, Held, cascade_out_of_fold, fit_cascade, logit_of_score, macs
from search.engine.evolution_step import generations
from search.judge.answers import Answers, held_out_answers
from search.judge.honest import judge
from search.runs.progress import Phases

PROBLEMS = ("mnist2", "fashion2", "segment", "credit-g", "mnist10", "fashion10")
ROWS = 500  # of a training sample
TRAINING, SEARCH, JUDGEMENT = "training rows", "folds of the search", "folds of the judgement"


class Member(NamedTuple):
    """A model in integers, and its place in the front."""

    tree: IntegerTree
    place: int


def rows_of(name: str, seed: int, max_loss: float) -> list[dict[str, Any]]:
    """For each source of limits the difference in test accuracy from the large model, and the share of its MACs."""
    data = sample(name, ROWS, seed)
    sections = {"search": {"objectives": ["error", "log_loss", "weights"], "population": POPULATION}}
    setup, rows = prepared(name, data, seed, "error", sections)
    for state, _ in generations(setup.problem, setup.strategy, Phases()):
        if state.generation == GENERATIONS:
            break
    front, trees = last_with_folds(setup, rows, state)
    judged = judge(setup, rows, trees, lambda text: None)
    assert judged.held_out is not None
    nothing = np.zeros(len(trees))
    sources = {
        TRAINING: None,
        SEARCH: held_out_answers(setup.problem, trees, nothing),
        JUDGEMENT: held_out_answers(*judged.held_out, nothing),
    }
    members = [Member(quantize_tree(each.tree()), i) for i, each in enumerate(front)]
    large = members[front.members.index(front.lowest())]
    smaller = [each for each in members if macs(each.tree) < macs(large.tree)] or [large]
    found = []
    for source, answers in sources.items():
        made = [_made(small, large, answers, data, max_loss) for small in smaller]
        found.append({"problem": name, "source": source} | _measured(made, data))
    return found


def _made(
    small: Member, large: Member, answers: Answers | None, data: Sample, max_loss: float
) -> tuple[Cascade, float]:
    """The cascade, and its mean MACs on the rows that chose its limit."""
    if answers is None:
        made = fit_cascade(small.tree, large.tree, data.X, data.y, max_loss=max_loss)
        return made, made.mean_macs(data.X)
    held = Held(answers.codes[small.place], answers.margins[small.place], answers.codes[large.place])
    made = cascade_out_of_fold(small.tree, large.tree, held, answers.truth, max_loss=max_loss)
    passed = float((held.margins < made.least * logit_of_score(small.tree)).mean())
    return made, macs(small.tree) + passed * macs(large.tree)


def _measured(made: list[tuple[Cascade, float]], data: Sample) -> dict[str, float]:
    """On test rows: of the cascade of the fewest MACs, and the means of all."""
    found = [_on_test_rows(cascade, data) for cascade, _ in made]
    best = found[int(np.argmin([mean for _, mean in made]))]
    loss, share = np.mean(found, axis=0)
    return {"best_difference": best[0], "best_macs": best[1], "difference": float(loss), "macs": float(share)}


def _on_test_rows(cascade: Cascade, data: Sample) -> tuple[float, float]:
    X, y, large = data.test_X, data.test_y, cascade.large
    right = float((cascade.predict_q(cascade.quantize(X)) == y).mean())
    alone = float((large.predict_q(large.quantize(X)) == y).mean())
    return right - alone, cascade.mean_macs(X) / macs(large)


def page(result: dict[str, Any]) -> str:
    text = f"""Made by `{result["command"]}`. {len(PROBLEMS)} development problems, {ROWS} training rows,
{result["seeds"]} samples each; searches of {GENERATIONS} generations and {POPULATION} trees. The large model is that
of the lowest error; a limit may lose {result["max_loss"]} of its accuracy, less one standard error, on the rows that
choose it. Figures are on up to 5,000 test rows: the accuracy less that of the large model, and the share of its MACs;
of the cascade of the fewest MACs on the rows that choose, and as means over all cascades of a front."""
    head = ("limits from", "accuracy of the cheapest", "MACs", "accuracy of all", "MACs")
    lines = []
    for source in (TRAINING, SEARCH, JUDGEMENT):
        own = [row for row in result["rows"] if row["source"] == source]
        means = [float(np.mean([row[key] for row in own])) for key in KEYS]
        lines.append([source, f"{means[0]:+.4f}", f"{means[1]:.2f}", f"{means[2]:+.4f}", f"{means[3]:.2f}"])
    filled = fill(" ".join(text.split()), 120, break_on_hyphens=False)
    return "\n\n".join(("# Limits of cascades", filled, table(head, lines))) + "\n"


KEYS = ("best_difference", "best_macs", "difference", "macs")


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="samples of each problem; default: %(default)s")
    parser.add_argument("--max-loss", type=float, default=0.002, help="of a cascade; default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("results/cascade_limits.json"), help="default: %(default)s")
    options = parser.parse_args(argv)
    console, rows = Console(stderr=True), []
    for name in PROBLEMS:
        for seed in range(options.seeds):
            rows += rows_of(name, seed, options.max_loss)
            console.print(f"{name} {seed}")
    report("cascade_limits", {"seeds": options.seeds, "max_loss": options.max_loss, "rows": rows}, page, options.out)


if __name__ == "__main__":
    main()
