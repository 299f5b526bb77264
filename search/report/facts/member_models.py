"""The models of a front for a page: their trees, the terms of their costs, the commands that use them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from neuraltree.activations import ACTIVATIONS
from neuraltree.compress.formats import input_texts, only_floats
from neuraltree.export.targets import FORMATS
from neuraltree.hardware.profile.devices import Code
from neuraltree.plot.drawing import positions
from neuraltree.tree.labels import Label
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.tree import Tree
from search.config.config import Config
from search.folder.records import RunFolder
from search.front import Front, Member
from search.strict import one_line

DIGITS = 5  # of a weight in a page; the model file has them all


def load_trees(front: Front) -> tuple[list[Tree | None], list[str]]:
    """The tree of every member, None if its file cannot be read, and a sentence for each such file."""
    trees: list[Tree | None] = []
    notes = []
    for member in front:
        try:
            trees.append(member.tree())
        except (ValueError, OSError) as error:
            trees.append(None)
            notes.append(one_line(error))
    return trees, notes


def few_digits(values: ArrayLike) -> list[float]:
    """Numbers with ``DIGITS`` significant digits: a page may hold those of thousands of trees."""
    return [float(f"{value:.{DIGITS}g}") for value in np.asarray(values, dtype=np.float64).ravel().tolist()]


def live_nodes(path: Path, front: Front) -> list[Nodes | None]:
    """The nodes of every member of a run under way, from its last checkpoint; None for a member that is not in it."""
    try:
        stored = RunFolder(path).load_checkpoint()
        arrays = stored[0] if stored else {}
        places = np.split(arrays["nodes"], arrays["starts"][1:-1])
        trees = dict(zip(arrays["ids"].tolist(), places, strict=True))
    except (KeyError, IndexError, TypeError, ValueError):  # the checkpoint is missing or damaged
        return [None] * len(front)
    return [trees.get(int(member.id)) for member in front]


def drawn(nodes: Nodes) -> dict[str, list]:
    """What a page needs to draw a tree, by node: depth, op, weight and bias of the first fold, and position."""
    at = positions(nodes)
    return {
        "depth": nodes["depth"].tolist(),
        "op": nodes["op"].tolist(),
        "weight": few_digits(nodes["weight"][:, 0]),
        "bias": few_digits(nodes["bias"][:, 0]),
        "x": few_digits(at[:, 0]),
        "y": few_digits(at[:, 1]),
    }


def about(trees: Sequence[Tree | None]) -> dict[str, Any]:
    """The names that all trees of a run share; {} without a tree."""
    first = next((tree for tree in trees if tree is not None), None)
    if first is None:
        return {}
    return names_of(first.kind, first.features, first.classes)


def names_of(kind: str, features: Sequence[str], classes: Sequence[Label] | None) -> dict[str, Any]:
    """Names and looks for drawing trees: inputs, outputs and activations by name, activations by colour and letter."""
    return {
        "kind": kind,
        "features": list(features),
        "classes": None if classes is None else [str(label) for label in classes],
        "activations": [row.name for row in ACTIVATIONS],
        "colours": {row.name: row.look.colour for row in ACTIVATIONS},
        "letters": {row.name: row.letter for row in ACTIVATIONS},
    }


def code_of(member: Member, config: Config) -> Code:
    """The code that was chosen for a member, or that of the config."""
    wanted = config.hardware
    return Code(member.precision or wanted.first_format, member.style or wanted.style, wanted.compiler)


def cost_terms(
    trees: Sequence[Tree | None], front: Front, config: Config | None
) -> dict[str, dict[str, list[float]]] | None:
    """By cost and term the values of the readable trees, (trees,); None for a run without a device.

    Raises ``ValueError`` if the device's profile cannot be read or has no figures for the code.
    """
    there = [(tree, member) for tree, member in zip(trees, front, strict=True) if tree is not None]
    if config is None or not config.hardware.device or not there:
        return None
    from neuraltree.hardware import COSTS, breakdown, laid_out, load_device

    device = load_device(config.hardware.device)
    codes = [code_of(member, config) for _, member in there]
    nodes, starts, about = laid_out([tree for tree, _ in there], config.hardware.input)
    by_code = {code: breakdown(nodes, starts, device, *code, **about) for code in set(codes)}
    names = dict.fromkeys(term for found in by_code.values() for term in found[COSTS[0]])
    none = np.zeros(len(there))
    found: dict[str, dict[str, list[float]]] = {}
    for cost in COSTS:
        terms = {
            term: np.array([by_code[code][cost].get(term, none)[i] for i, code in enumerate(codes)]) for term in names
        }
        found[cost] = {term: few_digits(values) for term, values in terms.items() if values.any()}
    return found


EXPORTS = {  # by purpose: the format, and what the name of its file or folder ends in
    "Export as C": ("c", "_c"),
    "Export as ONNX": ("onnx", ".onnx"),
    "Export as a Python function": ("python", ".py"),
}


def lines(member: Member, config: Config | None) -> dict[str, str]:
    """The code and commands that use the model file of a member, by purpose; exports that take its number format."""
    path = member.path
    assert path is not None
    quoted, name = shlex.quote(str(path)), shlex.quote(path.stem)
    found = {"Load and predict": f"from neuraltree import load\n\ntree = load({str(path)!r})\ntree.predict(X)"}
    number, options = _options(member, config)
    for what, (form, ending) in EXPORTS.items():
        takes = FORMATS[form].options
        if number in (takes.get("precision") or (number,)):
            given = "".join(text for option, text in options.items() if option in takes)
            found[what] = f"python -m neuraltree.export {quoted} --to {form}{given} --out {name}{ending}"
    if config is None or not config.hardware.device:
        return found
    device = shlex.quote(config.hardware.device)
    compiler = f" --compiler {config.hardware.compiler}" if config.hardware.compiler != "clang" else ""
    cost = f"python -m neuraltree.hardware {quoted} --device {device}{''.join(options.values())}{compiler} --breakdown"
    return found | {"Show its cost in parts": cost}


def _options(member: Member, config: Config | None) -> tuple[str, dict[str, str]]:
    """The number format of a member, and by name the command-line options of its code, "" for what is the default."""
    if config is None:
        return "float32", {}
    wanted = code_of(member, config)
    precision = f" --precision {wanted.precision}" if wanted.precision != "float32" else ""
    spec = config.hardware.input
    texts = [] if only_floats(spec) else input_texts(spec)
    inputs = "".join(f" --input {shlex.quote(text)}" for text in texts)
    style = f" --style {wanted.style}" if wanted.style != "straight" else ""
    return wanted.precision, {"precision": precision, "style": style, "input": inputs}
