"""Warnings about a code that another dominates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.formats import AUTO, INTEGER_INPUTS, MAX_SCORE_LOSS, InputSpec, input_texts
from neuraltree.hardware.choice import MARGIN, ByCode, CodeRule, candidates, choose, costs_by_code, taken
from neuraltree.hardware.choice_words import is_integer, name_of
from neuraltree.hardware.model.cost import laid_out
from neuraltree.hardware.profile.devices import Code, CycleDevice, Device
from neuraltree.tree.nodes import IntArray, Nodes

if TYPE_CHECKING:
    from neuraltree.tree.tree import Tree

COMPARED = ("latency_s", "flash_bytes", "ram_bytes")


class Dominated(NamedTuple):
    """The code that dominates, how many times faster and which share smaller it is, by the medians."""

    by: Code
    faster: float
    smaller: float


def compared_with_all(
    code: Code,
    device: Device,
    nodes: Nodes,
    starts: IntArray,
    about: Mapping[str, Any],
    of: str,
    loss: FloatArray | None = None,
) -> str:
    """A warning if another number format or style dominates the ``code`` of trees laid end to end, else "".

    ``loss`` (trees,): the share of the score that integer code loses, infinite if that is not known; by default none.
    ``of``: what the trees are, if there are several. A code of "auto" is what it would choose.
    """
    own, others = candidates(code, device), candidates(code._replace(precision=AUTO, style=AUTO), device)
    codes = list(dict.fromkeys((*others, *own)))  # formats below 8 bits are not among the others
    found = costs_by_code(nodes, starts, device, codes, **about)
    in_own = [found[codes.index(each)] for each in own]
    chosen = taken(choose(CodeRule(own), in_own), in_own)
    exact = np.ones(len(starts) - 1, dtype=bool) if loss is None else loss <= MAX_SCORE_LOSS
    better = dominated(codes, found, chosen, exact)
    return _word_of_dominated(code, better, device, of) if better else ""


def word_on_integers(codes: Sequence[Code], device: Device, inputs: InputSpec) -> str:
    """A warning if a device has no figures for integer ``inputs`` in one of the codes, else "". Their costs are then
    far above the real ones in integer code, so no comparison of codes holds."""
    if not isinstance(device, CycleDevice):
        return ""
    kinds = [
        kind for kind in INTEGER_INPUTS if any(text.rpartition("=")[2].startswith(kind) for text in input_texts(inputs))
    ]
    without = [
        code for code in codes for kind in kinds if getattr(device.entry(*code).cycles, f"feature_{kind}") is None
    ]
    if not without:
        return ""
    names = ", ".join(dict.fromkeys(map(name_of, without)))
    return (
        f"the profile of {device.name} has no figures for {' and '.join(kinds)} inputs in {names}: they are priced as "
        "floats, so integer code is faster than predicted; neuraltree hardware --measure gives its real costs"
    )


def words_on_dominated(code: Code, device: Device, trees: Sequence[Tree], inputs: InputSpec = "float32") -> list[str]:
    """The warnings of ``compared_with_all`` about finished trees, of each kind of task apart; that of
    ``word_on_integers`` in place of them. They name the options of a command that choose the code."""
    if word := word_on_integers(candidates(code, device), device, inputs):
        return [word]
    found = []
    for kind in dict.fromkeys(tree.kind for tree in trees):
        alike = [tree for tree in trees if tree.kind == kind]
        nodes, starts, about = laid_out(alike, inputs)
        loss = np.array([np.inf if tree.int8_loss is None else tree.int8_loss for tree in alike])
        of = f"{len(alike)} models" if len(alike) > 1 else ""
        found.append(compared_with_all(code, device, nodes, starts, about, of, loss))
    return [f"{word}; give --precision auto --style auto" for word in found if word]


def dominated(
    codes: Sequence[Code], found: ByCode, own: Mapping[str, FloatArray], exact: NDArray[np.bool_]
) -> Dominated | None:
    """The fastest code that is no worse than trees' ``own`` costs in latency, flash and RAM, and better in latency or
    flash, by the medians and by more than the error of predictions.

    ``exact`` (trees,): the trees for which integer code is exact enough; it is no rival if these are not most.
    """
    rivals = []
    for code, costs in zip(codes, found, strict=True):
        fair = exact if is_integer(code) else np.ones_like(exact)
        if fair.mean() <= 0.5:
            continue
        ratios = {name: float(np.median(costs[name][fair] / own[name][fair])) for name in COMPARED}
        faster, smaller = 1 / ratios["latency_s"], 1 - ratios["flash_bytes"]
        if max(ratios.values()) <= 1 + MARGIN and max(faster - 1, smaller) > MARGIN:
            rivals.append(Dominated(code, faster, smaller))
    return max(rivals, key=lambda each: each.faster, default=None)


def _word_of_dominated(own: Code, found: Dominated, device: Device, of: str) -> str:
    gains = [f"{found.faster:.1f} times faster"] * (found.faster > 1 + MARGIN)
    medians = f" (medians of {of})" if of else ""
    gains += [f"{100 * found.smaller:.0f} % smaller"] * (found.smaller > MARGIN)
    exact = " where 8 bits are exact enough" * (is_integer(found.by) and own.precision == "float32")
    return f"{name_of(own)} is dominated on {device.name}: {name_of(found.by)} is {' and '.join(gains)}{exact}{medians}"
