"""The nodes that exported code trains, from the options of the command."""

from __future__ import annotations

from numpy.typing import NDArray

from neuraltree.cli.amounts import BYTES, amount
from neuraltree.cli.command import say
from neuraltree.compress.pruning.lesson import lesson_of
from neuraltree.tree.tree import Tree
from neuraltree.updating import selection
from neuraltree.updating.training_state import Live, TrainingState

Rows = tuple[NDArray, NDArray]


def trained_nodes(tree: Tree, update: str | None = None, select: str = "", rows: Rows | None = None) -> Live | None:
    """(nodes,) the trained nodes, which are told; None for all, if there is no budget.

    ``update``: the most bytes of RAM for the state of training, as in 512B or 1k. ``select``: a selector, by default
    the best for what is known. ``rows``: raw inputs (rows, features) and labels or target values (rows,).
    ``ValueError`` says what does not fit.
    """
    if update is None:
        if select or rows is not None:
            raise ValueError("--select and --rows choose nodes for a budget: add --update, as in --update 512B")
        return None
    budget = amount(update, BYTES)
    if budget is None:
        raise ValueError(f"--update {update!r}: not an amount of bytes; write a number above 0, as in --update 512B")
    name = select or (selection.WITHOUT_ROWS if rows is None else selection.WITH_ROWS)
    live = selection.select(tree.nodes, int(budget), name, None if rows is None else lesson_of(tree, *rows))
    state = TrainingState(tree.nodes)
    trained = state.trained_weights(live)
    chosen = f"chosen by {name!r}" if trained < tree.num_weights else "all that there are"
    say(f"{trained} of {tree.num_weights} weights are trained, {chosen}, with {state.bytes(live)} B of state")
    return live
