"""A cascade of two trees as C99: two libraries in integers, and one function that asks the second where the first is
unsure. The arithmetic is that of ``compress.exits.cascade``."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from neuraltree.compress.exits.cascade import Cascade, fit_cascade
from neuraltree.compress.input_types import as_inputs, sources
from neuraltree.compress.int8.integer_tree import quantize_tree
from neuraltree.export.c.argument import argument_of, sources_of
from neuraltree.export.c.integers.integer_library import integer_library
from neuraltree.export.c.library import c_files
from neuraltree.export.names import check_name
from neuraltree.export.needed import needed_by, reads
from neuraltree.tree.tree import Tree

SMALL, LARGE = "small", "large"


def cascade_of(
    small: Tree, large: Tree, X: ArrayLike, y: ArrayLike, *, inputs: str = "float32", max_loss: float = 0.0
) -> Cascade:
    """``fit_cascade`` of the trees in integers for these ``inputs``; ``X`` (rows, features) as the trees take them,
    ``y`` (rows,) the positions of their classes."""
    of = sources(small, inputs)
    in_integers = [quantize_tree(tree, sources=of) for tree in (small, large)]
    return fit_cascade(in_integers[0], in_integers[1], as_inputs(small, X, inputs), y, max_loss=max_loss)


def export_cascade(cascade: Cascade, name: str = "model", *, inputs: str = "float32") -> dict[str, str]:
    """The texts of the files by file name; ``inputs``: those for which the cascade was made, all of one type.

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
            code = integer_library(inner, integers, argument, "straight", read, least=least)
            found |= c_files(tree, argument, code, integers)
    marks = {"@NAME@": name, "@UPPER@": name.upper(), "@PARAMETER@": argument.parameter}
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
   the inputs; at most it is that of both trees. */
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
