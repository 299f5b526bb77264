"""The function of a cascade's small tree in integer C: the class where its margin is large enough, or -1."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neuraltree.compress.int8.integer_tree import IntegerTree
    from neuraltree.export.c.argument import Argument


def declaration(argument: Argument, least: int) -> tuple[str, str]:
    """Comment and prototype."""
    text = f"/* The class, or -1 where the margin of the scores is below {least}. */"
    return text, f"int {argument.name}_sure({argument.parameter})"


def entry(tree: IntegerTree, argument: Argument, run: str, least: int) -> str:
    """The function; ``run``: the lines that fill ``y`` with scores. See ``compress.exits.cascade``."""
    count = tree.source.num_outputs
    if count == 1:
        above = tree.score_threshold + max(least, 1)  # the margin of a second class is at least 1
        below = tree.score_threshold + 1 - max(least, 1)
        answer = f"    return y[0] >= {above} ? 1 : y[0] <= {below} ? 0 : -1;\n"
    else:
        answer = SEVERAL.format(name=argument.name, count=count, least=least)
    lines = f"    int32_t y[{count}];\n{run}{answer}"
    return f"NT_PUBLIC int {argument.name}_sure({argument.parameter})\n{{\n{lines}}}\n"


SEVERAL = """    const int best = {name}_largest(y, {count});
    NT_LOOP
    for (int k = 0; k < {count}; ++k) {{
        if (k != best && y[best] - y[k] < {least}) {{
            return -1;
        }}
    }}
    return best;
"""
