"""The page of the comparison on devices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from benchmarks.devices.device_picture import CORES, INPUTS, LOOKS, of_one_compiler
from benchmarks.devices.front_budgets import Row, ahead, kept_scores, middle_choice
from benchmarks.devices.meter import FIGURES
from benchmarks.devices.models.our_trees import FAMILY
from neuraltree.cli.markdown import table

BUDGETS = {"cycles": (50, 100, 200, 400, 800, 1600, 3200, 12800), "flash_bytes": (256, 512, 1024, 2048, 4096, 8192)}
UNITS = {"cycles": "cycles", "flash_bytes": "B of flash"}
MARGIN = 0.01  # of score: as good as the best
ABOUT = """Written by `python -m benchmarks.run device_peers`. Every model takes the same raw inputs and returns a
class or a value. Inputs are single floats (m2cgen's doubles), or the counts of a converter as int16. A model is built
by the same options (-O2) and answers the same {rows} test rows on an emulated core without wait states; flash is code,
constants and the functions they need, RAM is variables and the deepest stack. Tables and pictures are of {first};
compilers: {compilers}. {holdouts} hold-outs of each table, a fifth of the rows for testing. Scores are accuracy, for
diabetes and gas (1,250 rows, 128 features of 16 gas sensors) R².

Within a budget, the size of a family is chosen by the highest score in cross-validation over the training rows (4
folds; of our members the honest error), never by test rows, the cheapest of equals. Scores and costs are medians over
the hold-outs. On {same:,} of {answered:,} rows that cores answered, their answer is that of Python, from which the test
scores are; the others are rounding, of emlearn's thresholds
and leaves to six decimals above all.

- **{ours}**: a default search for each core with latency and flash as objectives; at most 8 members of its front, as
  float32 and as int8, straight code.
- **linear (plain C)**: an L1 penalty of three strengths leaves inputs out; a loop, and sums written out. From int16:
  16-bit weights and 32-bit sums.
- **decision tree**: CART of depths 1 to 6, by emlearn and by m2cgen (in doubles). **forest (emlearn)**: 3 and 10
  trees of depths 2, 4 and 8, majority vote. Thresholds are floats or int16, as the inputs are.
- **MLP**: 4, 8 and 16 hidden units with ReLU, the better of two weight decays. **float (emlearn)** is its general form,
  with all digits of the weights; clang's free-standing target lacks the <math.h> that it needs. **int8 (CMSIS-NN)**:
  `arm_fully_connected_s8` of CMSIS-NN 4.0.0 (from the package bakenn), quantised after training as TensorFlow Lite
  does. Scaling raw inputs to int8 is part of its cost.

Scalings of inputs are merged into weights. Not measured: emlearn's fixed-point networks."""


def page(rows: Sequence[Row], compilers: Mapping[str, str], stem: str) -> str:
    shown = of_one_compiler(rows)
    about = ABOUT.format(
        rows=max(row["rows"] for row in rows),
        first=shown[0]["compiler"],
        compilers=", ".join(compilers.values()),
        holdouts=len({row["seed"] for row in rows}),
        same=sum(row["same"] for row in rows),
        answered=sum(row["rows"] for row in rows),
        ours=FAMILY,
    )
    parts = ["# Small models on microcontrollers, side by side", about]
    for core, title in CORES.items():
        parts += [f"## {title}", f"![scores within budgets, {title}]({stem}_{core}.png)"]
        for inputs, said in INPUTS.items():
            own = [row for row in shown if (row["core"], row["inputs"]) == (core, inputs)]
            parts += [f"### {title}, {said}", *_tables(own)]
    parts += ["## clang against gcc", _compilers(rows)] if len(compilers) > 1 else []
    return "\n\n".join(parts) + "\n"


def _tables(rows: Sequence[Row]) -> Iterator[str]:
    tables = list(dict.fromkeys(row["table"] for row in rows))
    families = [family for family in LOOKS if any(row["family"] == family for row in rows)]
    yield "The model of each family that one would choose without a budget: score, cycles, flash and RAM in bytes."
    yield table(("family", *tables), (_chosen(rows, family, tables) for family in families))
    for cost, budgets in BUDGETS.items():
        yield (
            f"Score within a budget of {UNITS[cost]}, mean over the tables if the family has a model within it on "
            f"each; in brackets, on how many of the {len(tables)} tables the family is within {MARGIN:g} of the best."
        )
        head = ("family", *(f"{budget:,}" for budget in budgets))
        yield table(head, _within(rows, families, cost, budgets, tables))


def _chosen(rows: Sequence[Row], family: str, tables: Sequence[str]) -> list[str]:
    cells = []
    for name in tables:
        found = middle_choice([row for row in rows if (row["family"], row["table"]) == (family, name)], "cycles")
        costs = (f"{found[cost]:,.0f}" for cost in ("cycles", "flash_bytes", "ram_bytes"))
        cells.append(f"{found['score']:.3f}; " + "; ".join(costs))
    return [family, *cells]


def _within(
    rows: Sequence[Row], families: Sequence[str], cost: str, budgets: Sequence[int], tables: Sequence[str]
) -> Iterator[list[str]]:
    scores = {
        (family, name): kept_scores(
            [row for row in rows if (row["family"], row["table"]) == (family, name)], cost, budgets
        )
        for family in families
        for name in tables
    }
    best = [[ahead({f: scores[f, name][i] for f in families}, MARGIN) for name in tables] for i in range(len(budgets))]
    for family in families:
        own = np.array([scores[family, name] for name in tables])
        firsts = [sum(family in names for names in at) for at in best]
        yield [family, *map(_cell, own.T, firsts)]


def _cell(scores: np.ndarray, firsts: int) -> str:
    if np.isnan(scores).all():
        return ""
    return f"{'' if np.isnan(scores).any() else f'{scores.mean():.3f} '}({firsts})"


def _compilers(rows: Sequence[Row]) -> str:
    """Medians of the ratios over the models that both built."""
    names = ("core", "table", "seed", "inputs", "family", "model")
    built = {tuple(row[name] for name in (*names, "compiler")): row for row in rows}
    pairs = [(row, built.get((*key[:-1], "gcc"))) for key, row in built.items() if key[-1] == "clang"]
    found: dict[tuple[str, str], list[list[float]]] = {}
    for row, other in pairs:
        if other:
            ratios = [row[name] / other[name] for name in FIGURES[1:]]
            found.setdefault((row["family"], row["core"]), []).append(ratios)
    lines = [
        [family, CORES[core], *(f"{value:.2f}" for value in np.median(ratios, axis=0))]
        for (family, core), ratios in sorted(
            found.items(), key=lambda item: (list(LOOKS).index(item[0][0]), item[0][1])
        )
    ]
    return "Median ratios, hold-out 0.\n\n" + table(("family", "core", "cycles", "flash", "RAM"), lines)
