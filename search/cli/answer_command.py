"""``neuraltree predict``: answers for the rows of a file, a chunk of rows at a time."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from neuraltree.tree.tree import Tree

EPILOG = """examples:
  neuraltree predict penguins new.csv
  neuraltree predict penguins new.csv --out answers.csv
  neuraltree predict penguins/models/003.json new.csv --probabilities
  neuraltree predict penguins new.csv --weights 20

The file needs the columns that the model reads, by the names they had in the table; others are ignored. There is a line
of answers for every row, in order.

exit codes: 0 done, 2 bad input"""


def add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("model", metavar="MODEL", type=Path, help="the folder of a run, or a model file")
    made.add_argument("rows", metavar="ROWS", type=Path, help="a file of rows")
    made.add_argument("--out", metavar="FILE", type=Path, help="the CSV file to write; by default standard output")
    made.add_argument("--probabilities", action="store_true", help="the probability of each class as well")


def answer(options: argparse.Namespace) -> int:
    """Returns the exit code."""
    from search.cli.chosen import chosen_tree

    tree = chosen_tree(options.model, options)
    if options.probabilities and tree.classes is None:
        raise ValueError(f"{options.model} predicts numbers, which have no probabilities; leave out --probabilities")
    chunks = _answers(tree, options)
    first = next(chunks)  # an error of the first rows leaves an older file as it is
    with _opened(options.out) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_header(tree, options.probabilities))
        writer.writerows(first)
        for rows in chunks:
            writer.writerows(rows)
    return 0


def _header(tree: Tree, probabilities: bool) -> list[str]:
    several = tree.classes is None and tree.num_outputs > 1
    named = [f"prediction {i}" for i in range(tree.num_outputs)] if several else ["prediction"]
    return named + ([f"probability of {label}" for label in tree.classes or ()] if probabilities else [])


def _answers(tree: Tree, options: argparse.Namespace) -> Iterator[list[list[Any]]]:
    """The lines of answers, a chunk of rows at a time; ``ValueError`` names the line of a cell that is wrong."""
    from neuraltree.inputs.encoders import Number
    from neuraltree.inputs.encoding import encode
    from search.table.files.row_chunks import read_chunks

    columns = tree.columns or tuple(Number(name) for name in tree.features)
    for line, chunk in read_chunks(options.rows, [column.name for column in columns]):
        try:
            features = encode(columns, chunk)
        except ValueError as error:
            raise ValueError(f"{options.rows}, rows from line {line}: {error}") from None
        found = tree.predict(features).reshape(len(features), -1).tolist()
        if options.probabilities:
            found = [a + b for a, b in zip(found, tree.predict_proba(features).tolist(), strict=True)]
        yield found


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        yield file
