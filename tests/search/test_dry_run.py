"""``--dry-run`` counts the structures there are: against all of them, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from math import log10
from pathlib import Path

import pytest

from neuraltree.tree.space import Space
from search.config.config import config_of, load_config
from search.runs import dry_run, ending
from search.runs.dry_run import describe, log10_structures
from search.table.loading import load_table

FACTS = (
    *("# data: 20 rows, ", "# split: drawn at random", "# search space: about 10^"),
    *(
        "# evaluations: 50 trees x 2 folds",
        "# reference point: ",
        "# engine: ",
        "# baselines: linear",
        "# teachers: none",
        "# time: about ",
        "# 'a' looks like row numbers: drop = [\"a\"]",
        "# classes with fewer than 10 validation rows: ",
    ),
)


@pytest.mark.parametrize("label", ["yes", 'a "quoted" # one', "two\nlines\x1b\x7f\u2028"])
def test_what_a_run_would_do_comes_first_and_all_is_a_config(tmp_path: Path, label: str) -> None:
    """Whatever a class is called, whose error is an objective and so in the reference point."""
    path, again = tmp_path / "my.toml", tmp_path / "again.toml"
    quoted = label.replace('"', '""')
    rows = [f'{i},{i % 3},"{quoted if i % 2 else "no"}"' for i in range(20)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,target", *rows]))
    path.write_text(
        '[data]\nsource = "t.csv"\ntest_fraction = 0.34\n[space]\nmax_nodes = 9\n'
        '[search]\npopulation = 10\ngenerations = 4\nfolds = 2\nobjectives = ["class_errors", "weights"]\n'
        '[baselines]\nmodels = ["linear"]\n'
    )
    config = load_config(path)
    text = describe(config, load_table(config))
    lines = text.splitlines()
    assert [line.startswith(fact) for line, fact in zip(lines, FACTS, strict=False)] == [True] * len(FACTS)
    assert lines[len(FACTS)] == ""
    assert lines[len(FACTS) + 1] == "[data]"
    assert not any(line.startswith("#") for line in lines[len(FACTS) :])
    again.write_text(text)
    assert load_config(again) == config


def test_a_run_with_a_time_says_the_time_and_counts_no_generations(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text('[data]\nsource = "iris"\n[search]\npopulation = 10\ntime = "90s"\n')
    config = load_config(path)
    lines = describe(config, load_table(config)).splitlines()
    assert "# evaluations: 10 trees a generation x 4 folds" in lines
    assert "# time: 90s in all" in lines


def test_the_time_counts_validation_and_the_end_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dry_run, "count_weights", lambda tree: 10)
    monkeypatch.setattr(dry_run, "WEIGHT_SAMPLES_PER_S", 100.0)
    monkeypatch.setattr(ending, "finish_s", lambda setup, stream, weights, *_: 1000.0 * weights.sum())
    raw = {"source": "iris"}, {"population": 10, "generations": 4, "folds": 2}, {"epochs": 3}
    config = config_of(dict(zip(("data", "search", "train"), raw, strict=True)), "the test")
    (line,) = (line for line in describe(config, load_table(config)).splitlines() if line.startswith("# time"))
    rows = 120  # of training; each is fitted in one of two folds and validated in the other
    search_s = 10 * 10 * 5 * (rows * 3 + 0.4 * rows * 4) / 100
    assert line.startswith(f"# time: about {search_s + 1000 * 3 * 10:.0f} s on two cores without baselines")


SPACES = {
    "one output": Space(2, activations=("tanh", "relu"), max_nodes=7, max_depth=3, max_arity=64),
    "narrow": Space(2, activations=("tanh", "relu"), max_nodes=8, max_depth=3, max_arity=2),
    "chains": Space(3, activations=("tanh", "relu", "sine"), max_nodes=9, max_depth=5, max_arity=1),
    "as wide as it is large": Space(2, activations=("tanh",), max_nodes=7, max_depth=4, max_arity=6),
    "three outputs": Space(2, 3, activations=("tanh",), max_nodes=9, max_depth=2, max_arity=4),
    "from two to three children": Space(
        1, 2, activations=("tanh",), max_nodes=13, max_depth=4, max_arity=3, min_arity=2
    ),
    "flat": Space(3, max_nodes=8, max_depth=1, max_arity=64),
    "nothing but one tree": Space(1, max_nodes=2, max_depth=1, max_arity=64),
}
Tree = int | tuple  # a feature, or an activation and the children


def subtrees(space: Space, size: int, levels: int) -> Iterator[Tree]:
    """All trees of ``size`` nodes with ``levels`` edges at most from their root down."""
    if size == 1:
        yield from range(space.n_features)
        return
    if levels > 0:
        for below in families(space, size - 1, levels - 1):
            yield from ((name, below) for name in space.activations)


def families(space: Space, size: int, levels: int) -> Iterator[tuple[Tree, ...]]:
    """All that may stand below one node, of ``size`` nodes together."""
    for arity in range(space.min_arity, space.max_arity + 1):
        yield from rows(space, arity, size, levels)


def rows(space: Space, count: int, size: int, levels: int) -> Iterator[tuple[Tree, ...]]:
    if count == 0 and size == 0:
        yield ()
    if count > 0:
        for first in range(1, size - count + 2):  # the others need a node each
            for tree in subtrees(space, first, levels):
                yield from ((tree, *others) for others in rows(space, count - 1, size - first, levels))


def outputs(space: Space, count: int, size: int) -> Iterator[tuple]:
    """What may stand below each of ``count`` outputs, of at most ``size`` nodes together with them."""
    if count == 0:
        yield ()
        return
    for first in range(2, size + 1):
        for below in families(space, first - 1, space.max_depth - 1):
            yield from ((below, *others) for others in outputs(space, count - 1, size - first))


@pytest.mark.parametrize("space", SPACES.values(), ids=list(SPACES))
def test_the_search_space_has_as_many_structures_as_can_be_listed(space: Space) -> None:
    listed = list(outputs(space, space.n_outputs, space.max_nodes))
    assert len(set(listed)) == len(listed) > 0
    assert log10_structures(space) == pytest.approx(log10(len(listed)), rel=1e-12)


def test_a_space_without_a_tree_has_no_structures() -> None:
    assert log10_structures(Space(3, 4, max_nodes=7)) == 0


def test_arity_beyond_the_number_of_nodes_adds_nothing() -> None:
    wide, wider = (log10_structures(Space(5, 2, max_nodes=30, max_arity=arity)) for arity in (28, 64))
    assert wide == wider
