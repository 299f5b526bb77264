"""The code that a config asks for, what chooses it for each tree if it is "auto", and the types of its inputs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuraltree.activations import code_of as activation
from neuraltree.arrays import FloatArray
from neuraltree.compress.formats import InputSpec
from neuraltree.compress.input_types import in_units, integer_inputs, sources
from neuraltree.hardware.choice import CodeRule, candidates
from neuraltree.hardware.profile.devices import Code, Device
from neuraltree.inputs.encoders import Number
from neuraltree.tree.nodes import IntArray, node_dtype
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree
from search.config.config import Config
from search.errors import InputError
from search.objectives import COST_NAMES
from search.table.data import Table


def code_of(config: Config, device: Device | None) -> Code:
    compiler = config.hardware.compiler
    build = device.build(compiler) if device else compiler
    return Code(config.hardware.precision, config.hardware.style, build)


def rule_of(config: Config, device: Device | None) -> CodeRule:
    """The costs among objectives and constraints choose the code of a tree, in the order of the config.

    ``ValueError`` if the device has no figures for the code.
    """
    code = code_of(config, device)
    if device is None:
        return CodeRule((code,))
    order = tuple(name for name in (*config.search.objectives, *config.constraints) if name in COST_NAMES)
    return CodeRule(candidates(code, device), order, _cost_limits(config, device), config.hardware.max_score_loss)


def _cost_limits(config: Config, device: Device) -> dict[str, float]:
    """The largest allowed value of each cost that is constrained, and of flash and RAM if the device states its own."""
    found = {name: bound for name, bound in config.constraints.items() if name in COST_NAMES}
    stated = {"flash_bytes": device.flash_bytes, "ram_bytes": device.sram_bytes}
    sizes = {name: float(size.value) for name, size in stated.items() if size is not None}
    return found | {name: min(size, found.get(name, size)) for name, size in sizes.items()}


class TypedInputs(NamedTuple):
    """``spec``: as for ``export_c``. ``kinds`` (features,): see ``input_types.integer_inputs``; None: all are floats.
    ``reach`` (features,): the 8-bit ranges of the code."""

    spec: InputSpec
    kinds: IntArray | None
    reach: FloatArray


def typed_inputs(spec: InputSpec, table: Table, rows: IntArray, scaler: Scaler, reach: FloatArray) -> TypedInputs:
    """``reach`` (features,): the ranges of floats. ``InputError`` for an unknown column or type, and for a column whose
    numbers in ``rows`` its type cannot hold."""
    X = table.X[rows]
    seen = zip(table.features, X.min(axis=0).tolist(), X.max(axis=0).tolist(), strict=True)
    columns = table.columns or tuple(Number(name, low=low, high=high) for name, low, high in seen)
    nodes = np.zeros(2, dtype=node_dtype())
    nodes["depth"], nodes["op"], nodes["weight"] = [0, 1], [~activation("identity"), 0], 1.0
    tree = Tree(nodes, "regression", table.features, None, scaler, None, reach, columns=columns)
    try:
        kinds = integer_inputs(tree, spec)
        adapted = in_units(tree, sources(tree, spec)).input_range
    except ValueError as error:
        raise InputError(f"hardware.input: {str(error).removeprefix('input: ')}") from None
    return TypedInputs(spec, kinds if (kinds >= 0).any() else None, reach if adapted is None else adapted)
