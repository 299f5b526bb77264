"""A cascade of two trees as C99: two libraries in integers, and one function that asks the second where the first is
unsure. The arithmetic is that of ``compress.exits.cascade``."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from neuraltree.compress.exits.cascade import Cascade, Held, cascade_out_of_fold, fit_cascade
from neuraltree.compress.exits.early_exit import early_exit_of
from neuraltree.compress.input_types import as_inputs, sources
from neuraltree.compress.int8.integer_tree import IntegerTree, quantize_tree
from neuraltree.export.c.argument import argument_of, sources_of
from neuraltree.export.c.integers.integer_library import integer_library
from neuraltree.export.c.library import STOPS, c_files
from neuraltree.export.names import check_name
from neuraltree.export.needed import needed_by, reads
from neuraltree.tree.tree import Tree

SMALL, LARGE = "small", "large"


def cascade_of(
    small: Tree, large: Tree, X: ArrayLike, y: ArrayLike, *, inputs: str = "float32", max_loss: float = 0.0
) -> Cascade:
    """``fit_cascade`` of the trees in integers for these ``inputs``; ``X`` (rows, features) as the trees take them,
    ``y`` (rows,) the positions of their classes."""
    return fit_cascade(*_in_integers(small, large, inputs), as_inputs(small, X, inputs), y, max_loss=max_loss)


def held_out_cascade_of(
    small: Tree, large: Tree, held: Held, y: ArrayLike, *, inputs: str = "float32", max_loss: float = 0.0
) -> Cascade:
    """``cascade_out_of_fold`` of the trees in integers for these ``inputs``; ``y`` (rows,) positions of classes."""
    return cascade_out_of_fold(*_in_integers(small, large, inputs), held, y, max_loss=max_loss)


def _in_integers(small: Tree, large: Tree, inputs: str) -> tuple[IntegerTree, IntegerTree]:
    of = sources(small, inputs)
    return quantize_tree(small, sources=of), quantize_tree(large, sources=of)


def export_cascade(
    cascade: Cascade, name: str = "model", *, inputs: str = "float32", early_exit: bool = False, chosen_on: str = ""
) -> dict[str, str]:
    """The texts of the files by file name; ``inputs``: those for which the cascade was made, all of one type.
    ``early_exit``: the large tree stops as soon as its class is certain; the small one is needed whole for its margin.
    ``chosen_on``: the rows that chose the limit, for the header.

    ``NAME_predict`` calls ``NAME_small_sure``, and ``NAME_large_predict`` where that returns -1.
    """
    check_name(name)
    trees = needed_by([cascade.small.source, cascade.large.source])
    found: dict[str, str] = {}
    with np.errstate(all="ignore"):
        for part, tree, least in zip((SMALL, LARGE), trees, (cascade.least, None), strict=True):
            inner, read = (tree, ()) if tree.columns is None else reads(tree)
            argument = argument_of(tree, check_name(f"{name}_{part}"), inputs)
            integers = quantize_tree(inner, sources=sources_of(argument, read))
            exits = early_exit_of(integers) if early_exit and part == LARGE else None
            exits = exits if exits and exits.looks else None
            code = integer_library(inner, integers, argument, "straight", read, exits, least)
            found |= c_files(tree, argument, code, integers, STOPS if exits else "")
    limit = (
        f"\n   It is unsure below a margin of {cascade.least}, which was chosen on {chosen_on}." if chosen_on else ""
    )
    marks = {"@NAME@": name, "@UPPER@": name.upper(), "@PARAMETER@": argument.parameter, "@LIMIT@": limit}
    for file, text in {f"{name}.h": HEADER, f"{name}.c": SOURCE}.items():
        for mark, value in marks.items():
            text = text.replace(mark, value)
        found[file] = text
    return found


HEADER = """/* A cascade of two neural trees: see their headers. Written by neuraltree; do not edit. */
#ifndef @UPPER@_H
#define @UPPER@_H

#include "@NAME@_large.h"
#include "@NAME@_small.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The class, for raw inputs: that of the small tree, or where it is unsure, that of the large one. The time depends on
   the inputs; at most it is that of both trees.@LIMIT@ */
int @NAME@_predict(@PARAMETER@);

#ifdef __cplusplus
}
#endif

#endif /* @UPPER@_H */
"""
SOURCE = """#include "@NAME@.h"

int @NAME@_predict(@PARAMETER@)
{
    const int found = @NAME@_small_sure(x);
    return found >= 0 ? found : @NAME@_large_predict(x);
}
"""
