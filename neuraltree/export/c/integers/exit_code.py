"""Integer C that stops at its class: the arithmetic of ``compress.exits.early_exit``, the same class in every case."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from neuraltree.export.c.integers.integer_code import hidden_lines, total_text
from neuraltree.export.order import Step, slots, steps
from neuraltree.tree.nodes import subtree_end

if TYPE_CHECKING:
    from neuraltree.compress.exits.early_exit import EarlyExit, Part
    from neuraltree.compress.exits.output_terms import Term
    from neuraltree.compress.int8.integer_tree import IntegerTree
    from neuraltree.export.c.integers.integer_code import Leaves
    from neuraltree.tree.nodes import IntArray


def exit_function(exits: EarlyExit, leaves: Leaves, name: str) -> str:
    """``NT_CALL int name(x)``, which reads each input when the first term needs it.

    ``leaves``: the parameter of the function, and the 8-bit numbers of the used inputs.
    """
    body = _Body(exits.tree, leaves)
    if len(exits.parts) == 1:
        body.one(exits.parts[0])
    else:
        body.several(exits.parts)
    unused = [] if body.read else [f"(void){leaves.parameter[-1]};"]
    text = "\n".join(f"    {line}" for line in [*unused, *body.declared(), *body.lines])
    return f"NT_CALL int {name}({leaves.parameter})\n{{\n{text}\n}}\n"


class _Body:
    """The statements of the function, as they grow."""

    def __init__(self, tree: IntegerTree, leaves: Leaves) -> None:
        self.tree, self.leaves = tree, leaves
        self.lines: list[str] = []
        self.read: set[int] = set()
        self.slots, self.hidden = 0, False
        self.place = {feature: i for i, feature in enumerate(tree.inputs.features.tolist())}

    def one(self, part: Part) -> None:
        """The only score: return where it can no longer cross the threshold, and at the end."""
        rest, start = _shifted(self.tree, part, self.leaves.base)
        threshold = self.tree.score_threshold
        self.lines.append(f"y = {start};")
        for n, term in enumerate(part.terms):
            if n in part.checks:
                low, high = (threshold - end for end in rest[n].tolist())
                self.lines += [f"if (y > {low}) {{", "    return 1;", "}", f"if (y <= {high}) {{", "    return 0;", "}"]
            self.lines += self.term(term)
        self.lines.append(f"return y > {threshold};")

    def several(self, parts: Sequence[Part]) -> None:
        """All of the first score, then each other one until it can no longer be above ``limit``."""
        first = parts[0]
        self.lines += [*self.sum_lines(first), f"least = {self.score(first.output, 'y')};", f"best = {first.output};"]
        for part in parts[1:]:
            k = part.output
            ahead = self.reading(sorted(part.ahead)) if part.checks else []
            better = ["if (y > limit) {", "    least = y;", f"    best = {k};", "}"]
            lines = [*self.sum_lines(part), f"y = {self.score(k, 'y')};", *better]
            self.lines += [*ahead, f"limit = least - (best > {k});"]
            self.lines += ["do {", *(f"    {line}" for line in lines), "} while (0);"] if part.checks else lines
        self.lines.append("return best;")

    def sum_lines(self, part: Part) -> list[str]:
        """The lines that make the sum ``y`` of one output of several, left where no score can be above ``limit``."""
        rest, start = _shifted(self.tree, part, self.leaves.base)
        lines = [f"y = {start};"]
        for n, term in enumerate(part.terms):
            if n in part.checks:
                most = self.score(part.output, f"(y + {rest[n, 1]})")
                lines += [f"if ({most} <= limit) {{", "    break;", "}"]
            lines += self.term(term)
        return lines

    def term(self, term: Term) -> list[str]:
        """The lines that add a term to the sum of its output."""
        if self.tree.nodes["op"][term.node] >= 0:
            lines, texts = self.inputs([term.node])
            return [*lines, f"y += {self.tree.numbers.weight[term.node]} * {texts[0]};"]
        order = _below(self.tree, term.node)
        self.slots, self.hidden = max(self.slots, slots(order)), True
        found = list[str]()
        for step in order:
            lines, texts = self.inputs(step.leaves)
            total = total_text(self.tree, step, texts, self.leaves.base)
            target = "y +=" if step.slot < 0 else f"a{step.slot} {'=' if step.first else '+='}"
            found += [*lines, *hidden_lines(self.tree, step, total, target)]
        return found

    def inputs(self, nodes: Sequence[int]) -> tuple[list[str], list[str]]:
        """The lines that declare the inputs of leaves, each where it is read first, and their names."""
        places = [self.place[int(self.tree.nodes["op"][leaf])] for leaf in nodes]
        return self.reading(places), [f"q{i}" for i in places]

    def reading(self, places: Collection[int]) -> list[str]:
        new = [i for i in dict.fromkeys(places) if i not in self.read]
        self.read.update(new)
        return [f"const int32_t q{i} = {self.leaves.texts[i]};" for i in new]

    def declared(self) -> list[str]:
        """The variables: the sums that wait, and that of the output; of several, the best score so far."""
        several = ["least", "limit"] if self.tree.source.num_outputs > 1 else []
        names = ["s"] * self.hidden + [f"a{i}" for i in range(self.slots)] + ["y", *several]
        return [f"int32_t {', '.join(names)};"] + ["int best;"] * bool(several)

    def score(self, k: int, total: str) -> str:
        """The C expression of the score of output ``k`` of several."""
        stage = self.tree.outputs
        assert stage.multiplier is not None
        assert stage.shift is not None
        half = 1 << int(stage.shift[k] - 1)
        return f"(({total} * {stage.multiplier[k]} + {half}) >> {stage.shift[k]})".replace("+ -", "- ")


def _shifted(tree: IntegerTree, part: Part, base: int) -> tuple[IntArray, int]:
    """``part.rest``, and the sum to begin with, for inputs that have ``base`` for 0.

    The sum begins without what the base adds to it in all; after each number of terms the rest of it is still due.
    """
    rest, start = part.rest, int(tree.numbers.bias[tree.nodes["depth"] == 0][part.output])
    for n, term in enumerate(part.terms):
        if tree.nodes["op"][term.node] >= 0:
            shift = base * int(tree.numbers.weight[term.node])
            start -= shift
            rest[: n + 1] += shift
    return np.asarray(rest), start


def _below(tree: IntegerTree, root: int) -> list[Step]:
    """The function nodes of a term in order of evaluation; the slot of the term itself is -1."""
    nodes = tree.nodes
    part = nodes[root : subtree_end(nodes["depth"], root)].copy()
    part["depth"] -= part["depth"][0]
    return [
        replace(step, node=step.node + root, leaves=tuple(leaf + root for leaf in step.leaves)) for step in steps(part)
    ]
