"""The work of a search spread over a pool of workers, with the results of one process.

Trees are trained as if each were alone, so how they are cut into chunks changes no result, and neither does who
computes a chunk, or how often. This process cuts, joins, and computes what nobody else does; it alone breeds and
selects.

- A chunk that a worker could not compute is cut in two; one tree that no one can compute gets a status.
- When all chunks are begun and one is late, this process computes it too; the first answer counts.
- Two answers to one chunk must be equal to the bit, or the run stops.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.tree.nodes import Nodes
from search.engine.evaluate import Evaluated
from search.errors import InputError
from search.executors.jobs import JOBS, Chunk, Context, fits, run_chunk
from search.executors.pool import Answer, Pool
from search.executors.wire import Arrays, digest, pack
from search.folder.tree_arrays import columns_from_arrays, trees_from_arrays
from search.strict import one_line
from search.variation.genes import NO_GENES, Genes

# Nodes x rows that a thread trains on in a second, for the size of chunks. Each chunk turns the rows into columns anew,
# which takes as long as some trees: chunks of few trees take several times as long for each.
SPEED = 5e9
CHUNK_S, LEAST_S = 1.0, 0.02  # the usual time of a chunk, and what it must take to be worth sending
PER_SLOT = 3  # chunks for each thread of the workers, so that those that finish early find more
WAIT_S = 0.2  # between two looks at what is late
LATE, LATE_S = 3.0, 1.0  # times the usual time of a chunk, and seconds, after which one is late
HERE = "this process"
Say = Callable[[str], None]


@dataclass
class _Waiting:
    """A chunk without an answer, and its places: several if equal trees stand in several places."""

    chunk: Chunk
    places: list[int] = field(default_factory=list)


class _Known(NamedTuple):
    worker: str
    digest: str


class Spread:
    """See ``search.engine.work.Work``."""

    def __init__(self, context: Context, pool: Pool, say: Say) -> None:
        self._context, self._pool, self._say = context, pool, say
        self._known: dict[str, _Known] = {}  # the answers to the chunks of this piece of work and the one before it

    def evaluate(self, generation: int, trees: list[Nodes], genes: Genes) -> Evaluated:
        parts = self._results(Chunk("evaluate", {"generation": generation}, trees, genes))
        there = [columns_from_arrays(found) for _, found in parts if found is not None]
        worst = {name: max(_largest(columns[name]) for columns in there) for name in there[0]}
        whole = [_lost(chunk.trees, worst) if found is None else _evaluated(found) for chunk, found in parts]
        return Evaluated(
            [tree for part in whole for tree in part.trees],
            {name: np.concatenate([part.columns[name] for part in whole]) for name in worst},
            np.concatenate([part.ok for part in whole]),
        )

    def slopes(self, generation: int, trees: list[Nodes]) -> list[FloatArray]:
        found: list[FloatArray] = []
        features = self._context.setup.problem.space.n_features
        for chunk, arrays in self._results(Chunk("slopes", {"generation": generation}, trees, NO_GENES)):
            ends = np.cumsum([len(tree) for tree in chunk.trees])
            folds = chunk.trees[0]["weight"].shape[1]
            flat = np.zeros((int(ends[-1]), features, folds)) if arrays is None else arrays["slopes"]
            found += np.split(flat, ends[:-1])
        return found

    def judge(self, repeat: int, trees: list[Nodes], genes: Genes, epochs: int, faster: float) -> list[Nodes]:
        numbers = {"repeat": repeat, "epochs": epochs, "faster": faster}
        found: list[Nodes] = []
        for chunk, arrays in self._results(Chunk("judge", numbers, trees, genes)):
            found += [_diverged(tree) for tree in chunk.trees] if arrays is None else trees_from_arrays(arrays)
        return found

    def _results(self, whole: Chunk) -> list[tuple[Chunk, Arrays | None]]:
        """The chunks of a piece of work in order, each with its result; None for a tree that nobody can compute."""
        waiting: dict[str, _Waiting] = {}
        done: dict[int, tuple[Chunk, Arrays | None]] = {}
        before, self._known = self._known, {}
        offers: dict[str, bytes] = {}
        for first, last in _cut(self._context, whole, self._pool.slots()):
            offers |= _add(waiting, whole.part(first, last), first)
        try:
            self._pool.offer(offers)
            late = _Late()
            while waiting:
                for answer in self._next(waiting, late):
                    self._check_equal(answer, before)
                    if answer.name in waiting:
                        late.note(answer.seconds)
                        self._take(answer, waiting, done)
        finally:
            self._pool.withdraw(list(waiting))
        parts = [part for _, part in sorted(done.items(), key=lambda item: item[0])]
        if all(found is None for _, found in parts):
            run_chunk(self._context, parts[0][0])  # raises the error that all trees meet
        return parts

    def _next(self, waiting: Mapping[str, _Waiting], late: _Late) -> list[Answer]:
        name = self._pool.claim() or (late.name(waiting) if self._pool.all_begun() else late.no_more())
        if not name:
            return self._pool.answers(WAIT_S)
        return [self._here(name, waiting[name].chunk), *self._pool.answers(0.0)] if name in waiting else []

    def _here(self, name: str, chunk: Chunk) -> Answer:
        begun = time.perf_counter()
        try:
            found = run_chunk(self._context, chunk)
        except Exception as error:  # whatever a tree does, it is that tree's problem
            return Answer(name, HERE, problem=f"{type(error).__name__}: {one_line(error)}")
        return Answer(name, HERE, time.perf_counter() - begun, found)

    def _check_equal(self, answer: Answer, before: Mapping[str, _Known]) -> None:
        """``InputError`` if another worker gave another answer."""
        if answer.result is None:
            return
        found = _Known(answer.worker, digest(pack({}, answer.result)))
        other = self._known.setdefault(answer.name, before.get(answer.name, found))
        if other.digest != found.digest:
            raise InputError(
                f"{other.worker} and {found.worker} trained the same trees and got different weights, so one of them "
                "is not to be trusted; leave one out and resume the run"
            )

    def _take(self, answer: Answer, waiting: dict[str, _Waiting], done: dict[int, tuple[Chunk, Arrays | None]]) -> None:
        """Note a result; or cut the chunk, or compute its only tree here, or give that tree up."""
        entry = waiting.pop(answer.name)
        self._pool.withdraw([answer.name])
        if answer.result is not None and not fits(entry.chunk, answer.result):
            answer = answer._replace(result=None, problem="its answer is not one to these trees")
        if answer.result is not None:
            done |= dict.fromkeys(entry.places, (entry.chunk, answer.result))
            return
        count = len(entry.chunk.trees)
        self._say(f"{count} tree{'s' * (count != 1)} could not be trained by {answer.worker}: {answer.problem}")
        if count > 1:
            offers: dict[str, bytes] = {}
            for place in entry.places:
                for first, last in ((0, count // 2), (count // 2, count)):
                    offers |= _add(waiting, entry.chunk.part(first, last), place + first)
            self._pool.offer(offers)
        elif answer.worker != HERE:
            waiting[answer.name] = entry
            self._take(self._here(answer.name, entry.chunk), waiting, done)
        else:
            done |= dict.fromkeys(entry.places, (entry.chunk, None))


class _Late:
    """Which chunk is late: one that is begun but not done when others would be."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._seconds: list[float] = []

    def note(self, seconds: float) -> None:
        self._seconds.append(seconds)

    def no_more(self) -> str:
        """Not all chunks are begun."""
        self._since = None
        return ""

    def name(self, waiting: Mapping[str, _Waiting]) -> str:
        """All are begun: the chunk that is late; "" for none yet."""
        now = time.monotonic()
        self._since = self._since or now
        usual = float(np.median(self._seconds)) if self._seconds else CHUNK_S
        return next(iter(waiting)) if now - self._since > max(LATE_S, LATE * usual) else ""


def _add(waiting: dict[str, _Waiting], chunk: Chunk, place: int) -> dict[str, bytes]:
    """Note a chunk that begins at a place; returns its message by its name."""
    message = chunk.message()
    name = digest(message)
    waiting.setdefault(name, _Waiting(chunk)).places.append(place)
    return {name: message}


def pieces(seconds: float, slots: int) -> int:
    """How many chunks work of so many seconds is cut into for workers who compute so many at once."""
    return int(max(1.0, seconds / CHUNK_S, min(PER_SLOT * slots, seconds / LEAST_S)))


def _cut(context: Context, whole: Chunk, slots: int) -> list[tuple[int, int]]:
    """Runs (first, last) of trees of about equal cost."""
    ends = np.cumsum([len(tree) for tree in whole.trees])
    rows = sum(len(fit) for fit, _ in context.setup.problem.folds)
    seconds = float(ends[-1]) * rows * JOBS[whole.job].passes(context, whole) / SPEED
    wanted = np.linspace(0, ends[-1], min(pieces(seconds, slots), len(ends)) + 1)
    edges: list[int] = np.unique(np.searchsorted(np.concatenate([[0], ends]), wanted)).tolist()
    return list(itertools.pairwise(edges))


def _evaluated(found: Arrays) -> Evaluated:
    return Evaluated(trees_from_arrays(found), columns_from_arrays(found), found["ok"])


def _lost(trees: list[Nodes], worst: Mapping[str, float]) -> Evaluated:
    """Trees that nobody can compute, with the worst of the others' scores."""
    columns = {name: np.full(len(trees), value) for name, value in worst.items()}
    return Evaluated(trees, columns, np.zeros(len(trees), dtype=bool))


def _largest(values: FloatArray) -> float:
    """The largest finite value, 0 if there is none."""
    finite = values[np.isfinite(values)]
    return float(finite.max()) if len(finite) else 0.0


def _diverged(tree: Nodes) -> Nodes:
    lost: Any = tree.copy()
    lost["weight"] = np.nan
    return lost
