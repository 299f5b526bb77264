"""Training on the device: one step of stochastic gradient descent in place, as C99 in single floats.

RAM: the parameters, one number per function node, and a stack no deeper than the forward pass needs. The backward
pass visits the nodes in reverse order, so the gradients that wait mirror the sums that waited: the child that began its
parent's sum is the last to need the parent's gradient. So no table of parents and no array of gradients is needed.
The weights are those of the tree in standardised units: with the scaler folded into them, the step would be a
different one. Means are rounded to single floats, which shifts a standardised input by up to 6e-8 |mean| / scale. If an
input of the tree has a mean so far from 0 that this matters (``folding.far``), the shifts are added back.
"""

from __future__ import annotations

from collections.abc import Callable
from textwrap import indent

import numpy as np

from neuraltree.activations import ACTIVATIONS, Activation
from neuraltree.export.c.parts import FLASH, MACROS, array, float_functions, literal
from neuraltree.export.c.training import partial_text
from neuraltree.export.c.training.device_step import loss_name, places, scaler_of, shifts, target_scaler_of
from neuraltree.export.c.training.trained_part import Part
from neuraltree.export.c.training.training_check import check_program
from neuraltree.export.c.training.training_text import (
    BACKWARD,
    ENTRIES,
    FORWARD,
    HEADER,
    LOG,
    LOSS_NAMES,
    LOSSES,
    PREDICT,
    STATE,
    fill,
)
from neuraltree.export.head import KIND, flags
from neuraltree.export.names import check_name, comment
from neuraltree.export.order import slots, steps
from neuraltree.tree.folding import far
from neuraltree.tree.soundness import refuse_several_targets
from neuraltree.tree.tree import Tree
from neuraltree.updating.training_state import Live

REACH = " and, in the low bits, what of it is trained"


def export_training(tree: Tree, name: str = "model", live: Live | None = None) -> dict[str, str]:
    """``NAME_train.h``, ``NAME_train.c`` and a program that checks them, ``test/NAME_train_test.c``.

    ``live`` (nodes,): the nodes that are trained, one or more; by default all. ``ValueError`` for a name or a number
    that C cannot hold, if ``live`` is empty, or if the tree has several targets or columns.
    """
    check_name(name)
    if tree.columns is not None:
        raise ValueError(
            "training on the device takes numbers only, and this model reads columns of a table; export it with "
            "--to c, or train a model on a table of plain numbers"
        )
    refuse_several_targets(tree.kind, tree.num_outputs, "C export")
    if live is not None and not live.any():
        raise ValueError("live names no node; name one or more, or leave it out to train all")
    part = None if live is None or live[tree.nodes["op"] < 0].all() else Part(tree, live)
    header, source = f"{name}_train.h", f"{name}_train.c"
    return {
        header: _header(tree, name, part),
        source: _source(tree, name, part),
        f"test/{name}_train_test.c": check_program(tree, name, part.live if part else None),
    }


def _header(tree: Tree, name: str, part: Part | None) -> str:
    kind, target = _target(tree)
    inputs = "".join(f"     {place} {comment(feature)}\n" for place, feature in enumerate(tree.features))
    classes = "".join(f"     {place} {comment(label)}\n" for place, label in enumerate(tree.classes or ()))
    fields = {
        "INPUTS": inputs,
        "CLASSES": f"   Classes:\n{classes}" if classes else "",
        "NODES": np.count_nonzero(tree.nodes["op"] < 0),
        "TRAINED": "",
        "TARGET": kind,
        "MEANING": target,
        "LOSS": LOSS_NAMES[loss_name(tree)],
    }
    return fill(HEADER, tree, name, **fields | (part.header_fields() if part else {}))


def _source(tree: Tree, name: str, part: Part | None) -> str:
    order = steps(tree.nodes)
    op = tree.nodes["op"]
    leaves = [int(op[leaf]) for step in order for leaf in step.leaves]
    used = sorted(set(leaves))
    scaler = scaler_of(tree)
    codes = part.codes(order) if part else [code for step in order for code in (flags(step), len(step.leaves))]
    positions = [used.index(feature) for feature in leaves]
    unit, wide = _unit([*codes, *positions]), _unit(used)
    shift = shifts(scaler)[used] if far(scaler)[used].any() else None
    initial = [tree.nodes[field][node, 0] for field, node in places(tree.nodes, order, part.live if part else None)]
    tables = [
        f"/* Each node in order of evaluation: kind and flags, number of inputs{REACH * (part is not None)}; then the "
        "inputs of all nodes. */",
        array(unit[0], "nt_code", codes),
        array(unit[0], "nt_leaf", positions),
        f"/* The features in use: position, mean, 1 / scale{', shift by rounding the mean' * (shift is not None)}. */",
        array(wide[0], "nt_feature", used),
        array("float", "nt_mean", [literal(scaler.mean[i]) for i in used]),
        array("float", "nt_gain", [literal(1 / scaler.scale[i]) for i in used]),
        *([] if shift is None else [array("float", "nt_shift", [literal(value) for value in shift])]),
        array("float", "nt_initial", [literal(value) for value in initial]),
        *([part.constants()] if part else []),
    ]
    kinds = {step.code for step in order}
    sloped = part.sloped() if part else kinds
    passes = [partial_text.STATE, partial_text.FORWARD, partial_text.BACKWARD] if part else [STATE, FORWARD, BACKWARD]
    parts = [f'#include "{name}_train.h"\n', MACROS, FLASH, _functions(tree, kinds, sloped), *tables, *passes]
    text = "\n".join([*parts, LOSSES[loss_name(tree)], ENTRIES, PREDICT[tree.kind]])
    fields = {
        "UNIT": unit[0],
        "READ": f"{unit[1]}, {unit[0]}",
        "READ_FEATURE": f"{wide[1]}, {wide[0]}",
        "SHIFT": "" if shift is None else " + NT_READ(float, float, nt_shift + i)",
        "DEPTH": max(slots(order), 1),
        "NODES": len(order),
        "LEAVES": len(leaves),
        "VALUES": _switch(_value, kinds),
        "SLOPES": indent(_switch(_slope, sloped), " " * 8) if part else _switch(_slope, kinds),
        "TARGET": _target(tree)[0],
        "THRESHOLD": literal(tree.logit_threshold),
        "WRONG": "" if tree.classes is None else f" || y < 0 || y >= {len(tree.classes)}",
    }
    if tree.classes is None:
        target = target_scaler_of(tree)
        fields |= {"MEAN": literal(target.mean[0]), "SCALE": literal(target.scale[0])}
        fields["GAIN"] = literal(1 / target.scale[0])
        fields["SHIFT_BACK"] = f" - {literal(shifts(target)[0])}".replace("- -", "+ ") if far(target)[0] else ""
    return fill(text, tree, name, **fields | (part.source_fields() if part else {}))


def _target(tree: Tree) -> tuple[str, str]:
    """The C type of the target, and its meaning."""
    return ("float", "the target in its own units") if tree.classes is None else ("int", "the class")


def _unit(values: list[int]) -> tuple[str, str]:
    """The narrowest C type that holds the values, and the width by which it is read from flash."""
    largest = max(values)
    return next((kind, width) for bits, kind, width in UNITS if largest < 2**bits)


UNITS = ((8, "uint8_t", "byte"), (16, "uint16_t", "word"), (32, "uint32_t", "dword"))


def _functions(tree: Tree, kinds: set[int], sloped: set[int]) -> str:
    """The C functions of the activations in use, and those that the derivatives of ``sloped`` and the loss need."""
    crossed = loss_name(tree) in ("logistic", "softmax")
    texts = [float_functions(kinds, exp=crossed)]
    texts += [ACTIVATIONS[code].c_slope_function for code in sorted(sloped)] + [LOG] * crossed
    return "\n".join(filter(None, texts))


def _from_value(row: Activation) -> bool:
    """Whether the slope can be computed from the value. If not, the sum is kept and the value is computed again: that
    saves one number per node in RAM."""
    return "kept" not in row.c_slope


def _value(row: Activation) -> str:
    """C that turns the sum in ``value`` into the value, and keeps the number from which the slope is computed."""
    return f"{'kept = ' * _from_value(row)}value = nt_{row.name}(value);"


def _slope(row: Activation) -> str:
    """C that computes the value and the slope again from the number that was kept."""
    return f"{'' if _from_value(row) else f'value = nt_{row.name}(kept); '}slope = {row.c_slope};"


def _switch(write: Callable[[Activation], str], kinds: set[int]) -> str:
    """A C switch with a case for each kind in use that has code."""
    cases = [(code, write(ACTIVATIONS[code])) for code in sorted(kinds) if ACTIVATIONS[code].c_function]
    if not cases:
        return ""
    text = "".join(f"        case {code}: {body} break;\n" for code, body in cases)
    return f"        switch (head & {KIND}) {{\n{text}        default: break;\n        }}\n"
