"""Eight tables with faults, and three without, as files with their truth."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.inputs.clean_columns import Truth, holes, made_truth, read_truth, wide_truth
from benchmarks.inputs.messy_cells import FAULTS, Style, cells_of, lines_of
from benchmarks.promise.problems import uci_folder
from neuraltree.storing import store
from search.errors import InputError

ROWS = 600
PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"


class Recipe(NamedTuple):
    """A table to make: ``classes`` is 0 for a number to predict, ``faults`` are keys of ``FAULTS``."""

    style: Style
    classes: int
    faults: tuple[str, ...] = ()


RECIPES: dict[str, Recipe] = {
    "semicolons": Recipe(
        Style(";", ",", encoding="latin-1", words=("ja", "nein"), day="%d.%m.%Y"), 0, ("row numbers", "constant column")
    ),
    "thousands": Recipe(
        Style(thousands=",", percent=True, encoding="utf-8-sig", words=("yes", "no"), hole="NA"),
        0,
        ("rows without target",),
    ),
    "tabs": Recipe(
        Style("\t", encoding="utf-16", ending=".txt", words=("oui", "non"), day="%d.%m.%Y", hole="?"),
        2,
        ("texts among numbers",),
    ),
    "bars": Recipe(
        Style("|", ending=".csv.gz", words=("T", "F"), hole="null"), 3, ("same names", "names of rows", "untidy lines")
    ),
    "parts": Recipe(Style(words=("Y", "N"), parts=3), 2, ("row numbers", "constant column", "repeated rows")),
    "survey": Recipe(
        Style(words=("True", "False"), day="%m/%d/%Y", hole="n/a"),
        2,
        ("numbered rows", "mostly missing", "untidy lines"),
    ),
    "no header": Recipe(Style(";", ",", words=("1", "0"), day="%d.%m.%Y", header=False), 0),
    "everything": Recipe(
        Style(";", ",", ".", True, "latin-1", ".csv.gz", ("ja", "nein"), "%d.%m.%Y", parts=2),
        0,
        tuple(fault for fault in FAULTS if fault != "numbered rows"),  # by which repeated rows would differ
    ),
}


class File(NamedTuple):
    """``source``: a file or a pattern of files; ``options``: of ``neuraltree fit``; ``notes``: what it must tell."""

    name: str
    source: str
    truth: Truth
    target: str
    options: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def messy_file(name: str, folder: Path, seed: int = 0) -> File:
    """Write the table of a recipe."""
    recipe, rng = RECIPES[name], np.random.default_rng((seed, [*RECIPES].index(name)))
    style, faults = recipe.style, [FAULTS[fault] for fault in recipe.faults]
    truth = made_truth(rng, ROWS, recipe.classes)
    for fault in faults:
        truth = fault.truth(truth, rng)
    cells = cells_of(truth, style)
    for fault in faults:
        cells = fault.cells(cells)
    header, lines = lines_of(cells, style)
    for fault in faults:
        header, *lines = fault.lines([header, *lines], style)
    stem = name.replace(" ", "_")
    for part, some in enumerate(np.array_split(np.array(lines, dtype=object), style.parts)):
        text = "\n".join([*[header] * style.header, *some])
        content = text.encode(style.encoding)
        path = folder / f"{stem}{part if style.parts > 1 else ''}{style.ending}"
        store({path: gzip.compress(content, mtime=0) if path.suffix == ".gz" else content})
    source = folder / f"{stem}{'*' if style.parts > 1 else ''}{style.ending}"
    told = ["no UTF-8; read as Latin-1"] * (style.encoding == "latin-1") + ["missing cells in "]
    target = truth.target if style.header else f"x{len(cells) - 1}"
    notes = (*told, *(fault.note for fault in faults if fault.note))
    return File(name, str(source), truth, target, _options(style), notes)


def _options(style: Style) -> tuple[str, ...]:
    marks = (f"--set=data.thousands={style.thousands}",) if style.thousands else ()
    return (*marks, "--set=data.percent=true") if style.percent else marks


def fixed_files(folder: Path) -> Iterator[File]:
    """Penguins, credit-g if it is there, and a table of 200 columns."""
    yield File("penguins", str(PENGUINS), read_truth(PENGUINS, "species"), "species")
    try:
        credit = uci_folder() / "credit-g.csv"
    except InputError:
        credit = Path("credit-g.csv")
    if credit.is_file():
        yield File("credit-g", str(credit), read_truth(credit, "class"), "class")
    wide = wide_truth(np.random.default_rng(0), 2 * ROWS)
    header, lines = lines_of(cells_of(wide, Style()), Style())
    path = folder / "wide.csv"
    store({path: "\n".join([header, *lines])})
    yield File("200 columns", str(path), wide, wide.target)


def files(folder: Path, seed: int = 0) -> list[File]:
    return [*(messy_file(name, folder, seed) for name in RECIPES), *fixed_files(folder)]


def kept(truth: Truth) -> Truth:
    """The rows that have a target."""
    return truth.take(np.flatnonzero(~holes(truth.y)))
