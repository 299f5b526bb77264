"""The costs of a baseline on the run's device, from the same cost models as for neural trees; nothing is guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neuraltree import hardware
from neuraltree.activations import NAMES
from neuraltree.arrays import FloatArray
from neuraltree.compress.formats import INTEGER_INPUTS
from neuraltree.hardware.choice import choose, costs_by_code, taken
from neuraltree.hardware.model.layer_network import network
from neuraltree.hardware.model.layers import Linear
from neuraltree.inputs.features import RULES
from search.baselines.baseline_models import Model, Network

if TYPE_CHECKING:
    from search.engine.evaluate import Problem

Costs = dict[str, float]


def no_costs(problem: Problem, kind: str, model: Model) -> Costs:
    """No costs: for models that no device profile covers."""
    del problem, kind, model
    return {}


def network_costs(problem: Problem, kind: str, model: Network) -> Costs:
    """The costs of a network.

    A linear model, or a network whose hidden units feed one unit each, is a neural tree and has that tree's costs.
    Any other network has costs if the device's latency is a formula of counts. It has none on devices whose cycles
    were fitted to trees: no dense layer was measured there.
    """
    device = problem.device
    if device is None:
        return {}
    nodes = model.nodes()
    if nodes is not None:
        starts = np.array([0, len(nodes)])
        found = costs_by_code(nodes, starts, device, problem.rule.codes, kind=kind, **problem.about_costs)
    elif isinstance(device, hardware.FormulaDevice):
        found = [_of_counts(problem, device, kind, model, code) for code in problem.rule.codes]
    else:
        return {}
    return {name: float(values[0]) for name, values in taken(choose(problem.rule, found), found).items()}


def _of_counts(
    problem: Problem, device: hardware.Device, kind: str, model: Network, code: hardware.Code
) -> dict[str, FloatArray]:
    far = problem.far & (code.precision == "float32")
    return hardware.costs_of_counts(counts(model, far), device, *code, kind=kind)


def counts(model: Network, far: NDArray[np.bool_] | None = None) -> hardware.Counts:
    """The counts of one network, for devices with formulas; its layers are computed one after another.

    ``far`` (features,): the inputs whose means its code subtracts; by default none.
    """
    sizes, kept = [len(bias) for bias in model.biases], model.kept
    kinds = np.zeros((1, len(NAMES)), dtype=np.int64)
    kinds[0, [NAMES.index("relu"), NAMES.index("identity")]] = sum(sizes[:-1]), sizes[-1]
    read = kept[0].any(axis=1)
    used = int(np.count_nonzero(read))
    peak = network([Linear(size) for size in sizes], (used,)).peak_activations
    edges = [int(np.count_nonzero(mask)) for mask in kept]
    values = np.concatenate([w[mask] for w, mask in zip(model.coefficients, kept, strict=True)])
    plain = {
        "nodes": sum(sizes) + edges[0],
        "function_nodes": sum(sizes),
        "hidden_nodes": sum(sizes[:-1]),
        "outputs": sizes[-1],
        "leaf_edges": edges[0],
        "node_edges": sum(edges[1:]),
        "depth": len(sizes),
        "features_used": used,
        "inner_nodes": sum(sizes[1:]),
        "peak_live": peak - used,
        "raw_features": 0,
        "far_features": 0 if far is None else int(np.count_nonzero(read & far)),
    }
    signs = {"adds": np.array([(values > 0).any()]), "subtracts": np.array([(values < 0).any()])}
    rules = np.zeros((1, len(RULES)), dtype=np.int64)
    integers = np.zeros((1, len(INTEGER_INPUTS)), dtype=np.int64)
    return hardware.Counts(
        kinds=kinds,
        rules=rules,
        integer_features=integers,
        integer_edges=integers,
        narrow=None,
        **{name: np.array([value]) for name, value in plain.items()},
        **signs,
    )
