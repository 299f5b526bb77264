"""``neuraltree predict``: answers for the rows of a file, a chunk of rows at a time."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from neuraltree.cli.command import DONE, say

if TYPE_CHECKING:
    from neuraltree.inputs.frames import Columns
    from neuraltree.tree.tree import Tree
    from search.config.settings import DataConfig
    from search.table.files.raw import Places

EPILOG = """examples:
  neuraltree predict penguins new.csv
  neuraltree predict penguins new.csv --out answers.csv
  neuraltree predict penguins/models/003.json new.csv --probabilities --intervals
  neuraltree predict penguins new.csv --check --weights 20

The file needs the columns that the model reads, by the names they had in the table; others are ignored. There is a line
of answers for every row, in order.

exit codes: 0 done, 2 bad input"""


def add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("model", metavar="MODEL", type=Path, help="the folder of a run, or a model file")
    made.add_argument("rows", metavar="ROWS", type=Path, help="a file of rows")
    made.add_argument("--out", metavar="FILE", type=Path, help="the CSV file to write; by default standard output")
    made.add_argument("--probabilities", action="store_true", help="the probability of each class as well")
    made.add_argument(
        "--intervals",
        action="store_true",
        help="where the truth lies in about 90 %% of new rows: from low to high, or in a set of classes",
    )
    made.add_argument(
        "--check",
        action="store_true",
        help="no answer for a row that is unlike those learned from: it says why in the column doubt",
    )


def answer(options: argparse.Namespace) -> int:
    """Returns the exit code."""
    from neuraltree.tree.model_files import load
    from search.cli.chosen import chosen_path, data_of
    from search.cli.signals.signal_files import signal_file
    from search.table.files.sources import READERS

    if (ending := options.rows.suffix.lower()) in READERS:
        raise ValueError(
            f"{options.rows}: predict reads text, such as CSV, and not {ending}; in Python: "
            "neuraltree.load(MODEL).predict(rows)"
        )
    if signal_file(options.model) is not None:
        raise ValueError(
            f"{options.model} answers recordings, not rows; play them with: neuraltree play {options.model} RECORDINGS"
        )
    path = chosen_path(options.model, options)
    tree = load(path)
    if options.intervals and tree.band is None:
        raise ValueError(f"{path} knows no intervals: its search did not find them; leave out --intervals")
    if options.probabilities and tree.classes is None:
        raise ValueError(f"{options.model} predicts numbers, which have no probabilities; leave out --probabilities")
    if options.out and options.out.exists() and options.out.samefile(options.rows):
        raise ValueError(f"--out {options.out} is the file of rows; name another one")
    if options.check and tree.columns is None:
        say("the model knows no ranges, because its table had numbers alone: only cells that are none are doubted")
    texts = _Texts(options.rows)
    with _opened(options.out) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_header(tree, options))
        for rows in _answers(tree, options, data_of(path), texts):
            writer.writerows(rows)
    texts.tell()
    return DONE


@dataclass
class _Texts:
    """The texts in columns of numbers, which count as missing."""

    path: Path
    count: int = 0
    first: str = ""

    def add(self, found: Sequence[tuple[str, int]], places: Places) -> None:
        if found and not self.count:
            self.first = f"column {found[0][0]!r}, {places.told(found[0][1])}"
        self.count += len(found)

    def tell(self) -> None:
        if self.count:
            say(f"{self.path}: {self.count} cells are no numbers, the first in {self.first}; they count as missing")


def _header(tree: Tree, options: argparse.Namespace) -> list[str]:
    several = tree.classes is None and tree.num_outputs > 1
    named = [f"prediction {i}" for i in range(tree.num_outputs)] if several else ["prediction"]
    named += [f"probability of {label}" for label in tree.classes or ()] if options.probabilities else []
    named += (["low", "high"] if tree.classes is None else ["set"]) if options.intervals else []
    return [*named, "doubt"] if options.check else named


def _answers(tree: Tree, options: argparse.Namespace, data: DataConfig, texts: _Texts) -> Iterator[list[list[Any]]]:
    """The lines of answers, a chunk of rows at a time; ``ValueError`` names the line of a cell that is wrong."""
    import numpy as np

    from search.table.files.row_chunks import read_chunks, without_texts

    for raw, places in read_chunks(options.rows, tree.columns_read, data):
        said = tree.doubts(raw) if options.check else [""] * len(places.numbers)
        fine = np.array([not doubt for doubt in said])
        cells, wrong = without_texts(tree.columns_read, raw)
        texts.add([] if options.check else wrong, places)
        answers = _of_rows(tree, {name: column[fine] for name, column in cells.items()}, options, places.take(fine))
        blank = [""] * (len(_header(tree, options)) - 1)
        yield [[*blank, doubt] if doubt else [*next(answers), *[""] * options.check] for doubt in said]


def _of_rows(tree: Tree, cells: Columns, options: argparse.Namespace, places: Places) -> Iterator[list[Any]]:
    """The answer of each row."""
    from neuraltree.inputs.encoders import CellError

    if not len(places.numbers):
        return iter(())
    try:
        found = tree.predict(cells)
    except CellError as error:
        raise ValueError(f"{options.rows}: {error.at(places.told(error.row))}") from None
    parts = [found.reshape(len(found), -1).tolist()]
    parts += [tree.predict_proba(cells).tolist()] if options.probabilities else []
    parts += [_intervals(tree, cells)] if options.intervals else []
    return map(list, map(chain.from_iterable, zip(*parts, strict=True)))


def _intervals(tree: Tree, cells: Columns) -> list[list[Any]]:
    """For each row the ends of its interval, or its set of classes in one text."""
    if tree.classes is None:
        return tree.predict_interval(cells).tolist()
    return [
        ["|".join(str(label) for label, is_in in zip(tree.classes, row, strict=True) if is_in)]
        for row in tree.predict_set(cells).tolist()
    ]


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    from neuraltree.storing import replacing

    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        yield file
