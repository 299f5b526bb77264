"""What makes a tree from a tree without teaching it other rows: each must keep the constants of a decision."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from neuraltree.compress import dequantized, quantize_tree
from neuraltree.compress.int8.clipping import with_integers
from neuraltree.compress.int8.finetune import finetune
from neuraltree.compress.int8.integer_tree import about_middle
from neuraltree.tree.model_files import dumps, loads
from neuraltree.tree.tree import Tree

Change = Callable[[Tree], Tree]


def changes(X: NDArray, y: NDArray) -> dict[str, Change]:
    """For trees of two inputs; ``X`` (rows, 2) and ``y`` (rows,), targets or codes of classes, are for integers."""
    return {
        "copy": copy.deepcopy,
        "pickle": lambda tree: pickle.loads(pickle.dumps(tree)),
        "replace": lambda tree: replace(tree, features=("a", "b")),
        "file": lambda tree: loads(dumps(tree)),
        "estimator": lambda tree: tree.estimator().tree_,
        "centred": lambda tree: tree.centred()[0],
        "weights of 8 bits": dequantized,
        "integers": lambda tree: quantize_tree(tree).source,
        "middles": lambda tree: about_middle(replace(tree, input_middle=np.ones(2))),
        "ranges": lambda tree: with_integers(tree, X, y),
        "fine-tuning": lambda tree: finetune([tree], X, epochs=2)[0],
    }
