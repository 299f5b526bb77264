"""The rows of models of several trees, which read different columns of one table."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.inputs.encoders import Number
from neuraltree.inputs.encoding import encode
from neuraltree.inputs.frames import is_frame, is_rows
from neuraltree.tree.tree import Inputs, Tree


def all_features(tree: Tree, X: Inputs) -> NDArray:
    """(rows, features) the raw features of all columns by name, as in ``Tree.outputs``; or an array as it is."""
    if is_frame(X) or is_rows(X):
        return encode(tree.columns or tuple(Number(name) for name in tree.features), X)
    return np.asarray(X)
