"""Whole random trees of every kind with scalers and names, for tests of what runs on devices."""

from __future__ import annotations

import numpy as np

from neuraltree.activations import NAMES
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import Nodes, node_dtype
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.space import Space
from neuraltree.tree.tree import Tree

ALL = NAMES
# Kind, output activation and number of outputs.
KINDS = (
    ("regression", "identity", 1),
    ("regression", "sigmoid", 1),
    ("regression", "sine", 1),
    ("binary", "identity", 1),
    ("multiclass", "identity", 3),
    ("multiclass", "sigmoid", 4),
)


def random_model(seed: int, kind: str = "regression", output: str = "identity", outputs: int = 1) -> Tree:
    """A tree of any size up to 80 nodes; some are scaled far from 0 and 1, some have input ranges."""
    rng = np.random.default_rng(seed)
    features = int(rng.integers(1, 12))
    space = Space(features, outputs, ALL, output, max_nodes=160, max_depth=int(rng.integers(1, 7)), max_arity=6)
    nodes = random_tree(rng, space).copy()
    nodes["bias"][nodes["op"] < 0] *= rng.choice([0.0, 1.0, 10.0])
    nodes["weight"] *= rng.choice([0.3, 1.0, 3.0])
    nodes["weight"][rng.random(len(nodes)) < 0.05] = 0.0
    scaler = Scaler(rng.normal(scale=10, size=features), np.exp(rng.normal(scale=2, size=features)))
    target = Scaler(rng.normal(scale=100, size=1), np.exp(rng.normal(scale=2, size=1)))
    return Tree(
        nodes,
        kind,
        tuple(f"x{i}" for i in range(features)),
        None if kind == "regression" else tuple(f"class {i}" for i in range(max(outputs, 2))),
        scaler if seed % 4 else None,
        target if kind == "regression" and seed % 3 else None,
        np.exp(rng.normal(loc=1, scale=0.5, size=features)) if seed % 2 else None,
    )


def models(count: int) -> list[Tree]:
    """``count`` trees of each row of ``KINDS``."""
    return [random_model(100 * i + row, *KINDS[row]) for i in range(count) for row in range(len(KINDS))]


def record(rows: list[tuple[int, int, float, float]]) -> Nodes:
    """A node record from (depth, op, weight, bias)."""
    return np.array([(depth, op, [weight], [bias]) for depth, op, weight, bias in rows], dtype=node_dtype())


def regression(rows: list[tuple[int, int, float, float]], **parts: object) -> Tree:
    """A regression tree over as many inputs as its rows read, or as its scaler has."""
    nodes = record(rows)
    scaler = parts.get("scaler")
    width = len(scaler.mean) if isinstance(scaler, Scaler) else max(int(nodes["op"].max()) + 1, 1)
    return Tree(nodes, "regression", tuple(f"x{i}" for i in range(width)), **parts)  # type: ignore[arg-type]


SIGMOID, TANH, GAUSSIAN, RELU, SINE, IDENTITY = (~code for code in range(6))


def edge_models() -> dict[str, Tree]:
    """Trees at the edges of what there is."""
    rng = np.random.default_rng(5)
    wide = [(0, IDENTITY, 0.0, 0.1)] + [(1, i, float(w), 0.0) for i, w in enumerate(rng.normal(size=300))]
    chain = [(0, IDENTITY, 0.0, 0.1)]
    chain += [(d, ~int(rng.integers(len(ALL))), float(rng.choice([-1.3, 1.3])), 0.1) for d in range(1, 200)]
    chain += [(200, 0, 1.0, 0.0)]
    inner = [(0, IDENTITY, 0.0, 0.1), (1, TANH, 1.5, 0.2), (2, 0, 0.7, 0.0), (2, 1, -0.9, 0.0), (1, 1, 0.3, 0.0)]
    kinds = [(0, IDENTITY, 0.0, 0.0)]
    for code in range(len(ALL)):
        kinds += [(1, ~code, 1.0, 0.2), (2, 0, 1.0, 0.0), (2, 1, -0.7, 0.0)]
    lost = [
        row
        for k in range(3)
        for row in ((0, IDENTITY, 0.0, k / 3), (1, TANH, 0.0 if k else 1.0, 0.0), (2, 0, 1.0, 0.0))
    ]
    two = ("x0", "x1")
    return {
        "constant": regression([(d, op, 0.0, b) for d, op, _, b in inner]),
        "zero": regression([(d, op, 0.0, 0.0) for d, op, _, _ in inner]),
        "zero_far": regression([(d, op, 0.0, 0.0) for d, op, _, _ in inner], target_scaler=scaler(5.0, 2.0)),
        "single_leaf": regression([(0, IDENTITY, 0.0, 0.0), (1, 0, 1.0, 0.0)]),
        "pruned_outputs": Tree(record(lost), "multiclass", ("x0",), ("a", "b", "c")),
        "features_300": regression(wide),
        "chain_200": regression(chain),
        "relu_output": regression([(0, RELU, 0.0, 0.1), *inner[1:]], target_scaler=scaler(-3.0, 7.0)),
        "sigmoid_outputs": Tree(
            record([*([(0, SIGMOID, 0.0, 0.1), *inner[1:]]), *([(0, SIGMOID, 0.0, -0.3), *inner[1:3]])]),
            "multiclass",
            two,
            ("no", "yes"),
        ),
        **{
            f"threshold_{name}": Tree(
                record(inner), "binary", two, ("no", "yes"), scaler([1.0, -2.0], [0.5, 3.0]), threshold=threshold
            )
            for name, threshold in (("low", 0.2), ("high", 0.8), ("tiny", 1e-300))
        },
        "band": regression(inner, band=0.1),
        "all_kinds": regression(kinds),
        "target_far": regression(inner, target_scaler=scaler(1e9, 1.0)),
        "features_far": regression(inner, scaler=scaler([1e6, -1e6], [1.0, 1.0])),
        "features_tiny": regression(inner, scaler=scaler([1e-30, 0.0], [1e-30, 1e-30])),
        "features_huge": regression(inner, scaler=scaler([1e30, 0.0], [1e30, 1e30])),
        "target_tiny": regression(inner, target_scaler=scaler(0.0, 1e-30)),
        "target_huge": regression(inner, target_scaler=scaler(1e30, 1e30)),
    }


def scaler(mean: float | list[float], scale: float | list[float]) -> Scaler:
    return Scaler(np.atleast_1d(np.array(mean)), np.atleast_1d(np.array(scale)))


def raw_inputs(tree: Tree, rows: int, seed: int = 0) -> np.ndarray:
    """(rows, features) single floats: normal in scaled units, and in the first rows zeros, denormals, the largest,
    infinities and NaN, whole rows of them and mixed."""
    rng = np.random.default_rng(seed)
    width = len(tree.features)
    Z = rng.normal(size=(rows, width)) * rng.choice([0.5, 1.0, 3.0], size=(rows, 1))
    with np.errstate(over="ignore"):
        X = (Z if tree.scaler is None else tree.scaler.inverse(Z)).astype(np.float32)
    largest, least = np.finfo(np.float32).max, np.float32(1e-45)
    odd = np.array([0.0, -0.0, least, -least, 1e-38, largest, -largest, np.inf, -np.inf, np.nan, 1e6, -1e6, 1e12])
    X[: len(odd)] = odd[:, None]
    mixed = slice(len(odd), len(odd) + rows // 10)
    chosen = rng.random(X[mixed].shape) < 0.3
    X[mixed] = np.where(chosen, rng.choice(odd, size=chosen.shape), X[mixed]).astype(np.float32)
    return X


def wide_tree(seed: int, width: int, per_node: int, nodes: int, kind: str = "multiclass", direct: int = 0) -> Tree:
    """Three outputs over ReLU nodes that read a few of many inputs; ``direct``: inputs that an output reads itself."""
    rng = np.random.default_rng(seed)
    rows = []
    for output in range(3 if kind == "multiclass" else 1):
        rows.append((0, IDENTITY, 0.0, 0.1 * output))
        for _ in range(nodes):
            rows.append((1, RELU, rng.normal(), rng.normal()))
            chosen = sorted(rng.choice(width, per_node, replace=False).tolist(), key=lambda _: rng.random())
            rows += [(2, feature, rng.normal(), 0.0) for feature in chosen]
        rows += [(1, int(feature), rng.normal(), 0.0) for feature in rng.choice(width, direct, replace=False)]
    features = tuple(f"x{i}" for i in range(width))
    return Tree(record(rows), kind, features, ("a", "b", "c") if kind == "multiclass" else None)
