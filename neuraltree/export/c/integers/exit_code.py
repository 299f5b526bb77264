"""Integer C that stops at its class: the arithmetic of ``compress.exits.early_exit``, the same class in every case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from neuraltree.export.c.integers.integer_code import hidden_lines, total_text
from neuraltree.export.c.parts import array
from neuraltree.export.order import Step, slots, steps
from neuraltree.tree.nodes import subtree_end

if TYPE_CHECKING:
    from neuraltree.compress.exits.early_exit import EarlyExit
    from neuraltree.compress.exits.output_terms import Term
    from neuraltree.export.c.integers.integer_code import Leaves
    from neuraltree.tree.nodes import IntArray


def exit_function(exits: EarlyExit, leaves: Leaves) -> str:
    """``NT_CALL int nt_decide(x)``, which reads each input when the first term needs it.

    ``leaves``: the parameter of the function, and the 8-bit numbers of the used inputs.
    """
    body = _Body(exits, leaves)
    for n, term in enumerate(exits.terms):
        if n in exits.checks:
            body.lines += body.check(n)
        body.add(term)
    unused = [] if exits.terms else [f"(void){leaves.parameter[-1]};"]
    text = "\n".join(f"    {line}" for line in [*unused, *body.declared(), *body.lines, body.last()])
    parts = [body.certain()] if body.several else []
    return "\n".join([*parts, f"NT_CALL int nt_decide({leaves.parameter})\n{{\n{text}\n}}\n"])


class _Body:
    """The statements of the function, as they grow."""

    def __init__(self, exits: EarlyExit, leaves: Leaves) -> None:
        self.exits, self.tree, self.leaves = exits, exits.tree, leaves
        self.lines: list[str] = []
        self.read: set[int] = set()
        self.slots, self.hidden = 0, False
        self.place = {feature: i for i, feature in enumerate(self.tree.inputs.features.tolist())}
        self.several = self.tree.source.num_outputs > 1
        self.rest, self.start = _shifted(exits, leaves.base)

    def add(self, term: Term) -> None:
        """Add a term to the sum of its output."""
        into = f"y[{term.output}] +=" if self.several else "y +="
        op = self.tree.nodes["op"]
        if op[term.node] >= 0:
            texts = self.inputs([term.node])
            self.lines.append(f"{into} {self.tree.numbers.weight[term.node]} * {texts[0]};")
            return
        order = _below(self.exits, term.node)
        self.slots, self.hidden = max(self.slots, slots(order)), True
        for step in order:
            total = total_text(self.tree, step, self.inputs(step.leaves), self.leaves.base)
            target = into if step.slot < 0 else f"a{step.slot} {'=' if step.first else '+='}"
            self.lines += hidden_lines(self.tree, step, total, target)

    def inputs(self, nodes: Sequence[int]) -> list[str]:
        """The names of the inputs of leaves, each declared where it is read first."""
        places = [self.place[int(self.tree.nodes["op"][leaf])] for leaf in nodes]
        for i in dict.fromkeys(places):
            if i not in self.read:
                self.lines.append(f"const int32_t q{i} = {self.leaves.texts[i]};")
                self.read.add(i)
        return [f"q{i}" for i in places]

    def declared(self) -> list[str]:
        """The variables: the sums that wait, and those of the outputs."""
        names = ["s"] * self.hidden + [f"a{i}" for i in range(self.slots)]
        start = ", ".join(map(str, self.start))
        sums = f"int32_t y[{len(self.start)}] = {{{start}}};" if self.several else f"int32_t y = {start};"
        return [f"int32_t {', '.join(names)};"] * bool(names) + [sums]

    def check(self, n: int) -> list[str]:
        """The lines that return the class if it is certain after ``n`` terms."""
        if self.several:
            if "int best;" not in self.lines:
                self.lines.append("int best;")
            at = 2 * len(self.start) * self.exits.checks.index(n)
            return [f"best = nt_certain(y, nt_rest + {at});", "if (best >= 0) {", "    return best;", "}"]
        threshold = self.tree.score_threshold
        low, high = (threshold - end for end in self.rest[n, 0].tolist())
        return [f"if (y > {low}) {{", "    return 1;", "}", f"if (y <= {high}) {{", "    return 0;", "}"]

    def last(self) -> str:
        """The statement after all terms, where bounds are sums."""
        if self.several:
            return f"return nt_certain(y, nt_rest + {2 * len(self.start) * len(self.exits.checks)});"
        return f"return y > {self.tree.score_threshold};"

    def certain(self) -> str:
        """The bounds at the checks, and the function that compares them."""
        rows = self.rest[[*self.exits.checks, len(self.exits.terms)]]
        low, high = ([self.score(k, end) for k in range(len(self.start))] for end in (0, 1))
        found = [
            f"    low = {text};\n    if (low > least) {{\n        best = {k + 1};\n        least = low;\n    }}\n"
            for k, text in enumerate(low[1:])
        ]
        rivals = [
            f"    if (best != {k} && {text} + (best > {k}) > least) {{\n        return -1;\n    }}\n"
            for k, text in enumerate(high)
        ]
        return (
            "/* At each check the least and the most that each output can still gain. */\n"
            + array("int32_t", "nt_rest", rows.reshape(-1).tolist())
            + CERTAIN.format(first=low[0], found="".join(found), rivals="".join(rivals))
        )

    def score(self, k: int, end: int) -> str:
        """The C expression of an end of the score of output ``k``."""
        stage = self.tree.outputs
        assert stage.multiplier is not None
        assert stage.shift is not None
        half = 1 << int(stage.shift[k] - 1)
        total = f"(y[{k}] + (int32_t)NT_READ(dword, int32_t, rest + {2 * k + end}))"
        return f"(({total} * {stage.multiplier[k]} + {half}) >> {stage.shift[k]})"


CERTAIN = """
/* The class that what follows cannot change, or -1; an earlier class wins a tie. */
NT_CALL int nt_certain(const int32_t *y, const int32_t *rest)
{{
    int best = 0;
    int32_t least = {first}, low;
{found}{rivals}    return best;
}}
"""


def _shifted(exits: EarlyExit, base: int) -> tuple[IntArray, list[int]]:
    """``exits.rest``, and the sums to begin with, for inputs that have ``base`` for 0.

    The sums begin without what the base adds to them in all; after each number of terms the rest of it is still due.
    """
    tree = exits.tree
    top = tree.nodes["depth"] == 0
    rest, start = exits.rest.copy(), tree.numbers.bias[top].copy()
    for n, term in enumerate(exits.terms):
        if tree.nodes["op"][term.node] >= 0:
            shift = base * int(tree.numbers.weight[term.node])
            start[term.output] -= shift
            rest[: n + 1, term.output] += shift
    return rest, np.asarray(start).tolist()


def _below(exits: EarlyExit, root: int) -> list[Step]:
    """The function nodes of a term in order of evaluation; the slot of the term itself is -1."""
    nodes = exits.tree.nodes
    part = nodes[root : subtree_end(nodes["depth"], root)].copy()
    part["depth"] -= part["depth"][0]
    return [
        replace(step, node=step.node + root, leaves=tuple(leaf + root for leaf in step.leaves)) for step in steps(part)
    ]
