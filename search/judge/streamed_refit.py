"""The refit of trees on all training rows of a stream, block after block."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuraltree.engine.block_courses import BlockCourses
from neuraltree.engine.forest import Indices, cut, load_params, pack, store_params
from neuraltree.engine.lowering import lowering
from neuraltree.engine.training import Data
from neuraltree.tasks.task import encode
from neuraltree.tree.nodes import Nodes, join
from search.engine.evaluate import UNITS, Problem, in_threads
from search.table.streams.read_ahead import ahead
from search.table.streams.stream import Piece, Stream
from search.variation.genes import NO_GENES, Genes, rates_of

BLOCK_BYTES = 2**26  # of the inputs of a block
ORDER = 1  # the stream of the order of row groups, beside that of the rows in a block


def trained_on_stream(
    stream: Stream,
    say: Callable[[str], None],
    stopping: Callable[[], bool],
    problem: Problem,
    trees: list[Nodes],
    shuffles: int,
    *,
    epochs: int,
    faster: float = 1.0,
    genes: Genes = NO_GENES,
    block_rows: int = 0,
    note: Callable[[str], None] = lambda far: None,
) -> list[Nodes]:
    """Trees of one set of weights trained on all training rows of a stream; see ``trained``.

    The rows of a block are shuffled, and the row groups that fill the blocks, unless one block holds all rows: then
    the result is that of ``trained`` on them. ``block_rows``: so many rows, of a whole number of batches, make a block;
    0: as many as ``BLOCK_BYTES`` hold. ``KeyboardInterrupt`` after the block in which ``stopping()`` becomes true.
    ``note`` is told how far the training is.
    """
    rate = faster * problem.settings.learning_rate
    problem = replace(problem, settings=problem.settings._replace(learning_rate=rate))
    settings, begun = problem.settings, time.perf_counter()
    nodes, starts = join(trees)
    packed = pack(nodes, starts, problem.space.n_features)
    forest, ends = packed.forest, packed.forest.first_tree_param
    params = load_params(packed, nodes, settings.precision)[0]
    runs = cut(forest, UNITS * problem.workers if problem.workers > 1 else 1)
    rates, moments = rates_of(genes), {run: list[NDArray]() for run in runs}
    courses = BlockCourses(settings, stream.train_rows, epochs=epochs, seed=(problem.seed, shuffles, 0))
    done = 0
    say(f"refitting {len(trees)} models on {stream.train_rows} rows in {epochs} epoch{'s' * (epochs != 1)}")
    for data in ahead(blocks(stream, problem, shuffles, epochs=epochs, rows=block_rows)):
        course = courses.next(len(data.weight))

        def train(run: tuple[int, int], stop: Indices, data: Data = data, course: Any = course) -> None:
            first, last = run
            own = slice(int(ends[first]), int(ends[last]))
            limit, start = np.ones(last - first), np.ascontiguousarray(params[own])
            given = forest.part(first, last), settings, data, course, start, limit
            shrinking: dict[str, Any] = {name: part[first:last] for name, part in rates.items()}
            fitted = lowering().train(*given, **shrinking, moments=moments[run], stop=stop)
            params[own], moments[run] = fitted.last, fitted.moments

        in_threads(problem.workers, train, runs)
        done += len(data.weight)
        if stopping():
            raise KeyboardInterrupt
        note(f"{done / (epochs * stream.train_rows):.0%}")
    say(f"refitted in {time.perf_counter() - begun:.0f} s")
    return np.split(store_params(packed, nodes, params[None]), starts[1:-1])


def blocks(stream: Stream, problem: Problem, shuffles: int, *, epochs: int, rows: int = 0) -> Iterator[Data]:
    """The training rows of all epochs, scaled and encoded, in blocks of ``rows`` rows; the last of an epoch has fewer.

    0: as many rows as ``BLOCK_BYTES`` hold, of a whole number of batches.
    """
    settings, groups = problem.settings, np.arange(len(stream.rows.groups))
    row_bytes = problem.space.n_features * np.dtype(settings.precision).itemsize
    rows = rows or max(1, BLOCK_BYTES // row_bytes // settings.batch_size) * settings.batch_size
    rng = np.random.default_rng((problem.seed, shuffles, ORDER))
    for _ in range(epochs):
        if rows < stream.train_rows:
            groups = rng.permutation(groups)
        pieces = stream.pieces([stream.rows.groups[place] for place in groups.tolist()], test=False)
        scaled = (_scaled(stream, problem, piece) for piece in pieces)
        yield from _gathered(scaled, min(rows, stream.train_rows), settings.precision)


def _scaled(stream: Stream, problem: Problem, piece: Piece) -> Data:
    y = piece.y
    if stream.target_scaler:
        y = stream.target_scaler.transform(y[:, None])[:, 0]
    return Data(stream.scaler.transform(piece.X), encode(problem.task, y), piece.weight)


def _gathered(pieces: Iterator[Data], size: int, precision: str) -> Iterator[Data]:
    """The rows of pieces in blocks of ``size`` rows."""
    block, filled = Data(*[np.empty(0)] * 3), 0
    for piece in pieces:
        start, parts = 0, piece[:3]
        while start < len(piece.weight):
            if not filled:
                block = Data(*(np.empty((size, *part.shape[1:]), precision) for part in parts))
            taken = min(size - filled, len(piece.weight) - start)
            for whole, part in zip(block[:3], parts, strict=True):
                whole[filled : filled + taken] = part[start : start + taken]
            start, filled = start + taken, filled + taken
            if filled == size:
                yield block
                filled = 0
    if filled:
        yield Data(*(part[:filled] for part in block[:3]))
