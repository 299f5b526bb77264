"""The names of outputs in pictures of trees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuraltree.plot.style import short

if TYPE_CHECKING:
    from neuraltree.tree.tree import Tree

LONGEST = 24  # letters of a name


def output_names(tree: Tree, most: int = LONGEST) -> list[str]:
    """The meaning of every output; class labels are cut to at most ``most`` letters."""
    count = int(np.count_nonzero(tree.nodes["depth"] == 0))
    if tree.kind == "multiclass":
        return [short(label, most) for label in tree.classes or ()]
    if tree.kind == "binary" and tree.classes:
        above = f"above {tree.logit_threshold:.3g}"
        return [f"{above}: {short(tree.classes[1], most)}\nelse: {short(tree.classes[0], most)}"]
    return ["prediction"] if count == 1 else [f"target {i}" for i in range(count)]
