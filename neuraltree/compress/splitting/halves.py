"""A tree in integers as two: what a sensor node computes and sends, and what the gateway makes of it. Together they are
the whole tree, bit for bit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.compress.byte_inputs import ByteStage
from neuraltree.compress.formats import InputSpec
from neuraltree.compress.int8.integer_tree import IntegerTree
from neuraltree.compress.int8.integers import Integers
from neuraltree.compress.int8.stages import InputStage, IntegerStage, MixedStage, OutputStage
from neuraltree.compress.splitting.best_cut import Sent, best_cut, own_side
from neuraltree.tree.labels import label_array
from neuraltree.tree.nodes import IntArray, parents, subtree_end
from neuraltree.tree.tree import Tree

Stage = InputStage | MixedStage | ByteStage
AnyStage = TypeVar("AnyStage", bound=InputStage | IntegerStage | ByteStage)


@dataclass(frozen=True, eq=False)
class Halves:
    """``own``: the features of the node, ``others``: those of the gateway, each in the order of its inputs.

    ``model``: the tree that was split, and ``inputs`` what code takes for it. ``whole``: the model in integers, over
    the features that it reads if it has columns. ``node``: its outputs are the numbers sent. ``gateway``: reads its
    quantised inputs, then the numbers sent.
    """

    model: Tree
    inputs: InputSpec
    whole: IntegerTree
    own: tuple[int, ...]
    others: tuple[int, ...]
    sent: tuple[Sent, ...]
    node: IntegerTree
    gateway: IntegerTree
    gateway_inputs: Stage

    @property
    def message_bytes(self) -> int:
        """The bytes of a message."""
        return sum(each.size_bytes for each in self.sent)

    @property
    def macs(self) -> tuple[int, int]:
        """Multiply-accumulates of the node and of the gateway, together those of the whole.

        An input or a value that is sent has an edge in the node's tree, and a sum in the gateway's, which hands the
        number on and multiplies nothing.
        """
        sums = sum(each.what == "sum" for each in self.sent)
        node, gateway = (int(np.count_nonzero(tree.nodes["depth"])) for tree in (self.node, self.gateway))
        return node - len(self.sent) + sums, gateway - sums

    def message(self, X: ArrayLike) -> NDArray[np.int32]:
        """(rows, numbers) what the node sends for its raw inputs (rows, own features)."""
        return self.node.scores(self.node.inputs(X))

    def predict_q(self, X: ArrayLike, message: NDArray[np.int32]) -> NDArray[np.int32]:
        """(rows,) as ``IntegerTree.predict_q``, from the gateway's raw inputs (rows, other features) and messages."""
        values = np.hstack([self.gateway_inputs(X), message])
        return self.gateway.predict_q(values)

    def predict(self, X: ArrayLike) -> NDArray:
        """(rows,) class labels or natural units for raw inputs (rows, features of the model)."""
        X = np.asarray(X)[:, [self.model.features.index(name) for name in self.whole.source.features]]
        found = self.predict_q(X[:, list(self.others)], self.message(X[:, list(self.own)]))
        classes = self.whole.source.classes
        return self.whole.outputs.values(found) if classes is None else label_array(classes)[found]


def split_tree(
    tree: IntegerTree, own: Collection[int], *, model: Tree | None = None, inputs: InputSpec = "float32"
) -> Halves:
    """The halves for a node with the features ``own``, sending the fewest bytes. ``model``: the tree that has the
    columns, if it is not that of ``tree``; ``inputs``: those for which ``tree`` was made.

    ``ValueError`` if the tree reads no feature of the node, or none of the gateway.
    """
    used = set(tree.inputs.features.tolist())
    if not used & set(own) or used <= set(own):
        side = "the gateway" if used <= set(own) else "the node"
        raise ValueError(f"the model reads no input of {side}: there is nothing to split")
    sent = tuple(best_cut(tree, own))
    width = len(tree.source.features)
    of_node = tuple(i for i in range(width) if i in own)
    of_gateway = tuple(i for i in range(width) if i not in own)
    parts = _parts(tree, of_node, of_gateway, sent)
    return Halves(model or tree.source, inputs, tree, of_node, of_gateway, sent, *parts)


def _parts(
    tree: IntegerTree, own: Sequence[int], others: Sequence[int], sent: Sequence[Sent]
) -> tuple[IntegerTree, IntegerTree, Stage]:
    """The two trees, and the input stage of the gateway."""
    node = _node_rows(tree, own, sent).tree()
    inputs = _stage_at(tree.inputs, {own[place]: place for place in _used(node.nodes["op"]).tolist()})
    node = replace(node, inputs=inputs, outputs=OutputStage(None, None, 0, 0, np.float32(1)))
    gateway = _gateway_rows(tree, own, others, sent).tree()
    read = [place for place in _used(gateway.nodes["op"]).tolist() if place < len(others)]
    places = [*read, *range(len(others), len(others) + len(sent))]
    given = replace(gateway, inputs=_converted(np.array(places, dtype=np.int64)))
    return node, given, _stage_at(tree.inputs, {others[place]: place for place in read})


def _used(op: IntArray) -> IntArray:
    return np.unique(op[op >= 0]).astype(np.int64)


def _converted(places: IntArray) -> InputStage:
    """The stage of numbers that are integers already: it says which are read, and converts nothing."""
    nothing = np.zeros(len(places), dtype=np.int64)
    return InputStage(places, nothing, nothing, nothing, nothing)


def _stage_at(stage: Stage, place: dict[int, int]) -> Stage:
    """The stage of some of its features, which are inputs of a half at these places, in the same order."""
    if isinstance(stage, MixedStage):
        places = np.array(list(place.values()), dtype=np.int64)
        return MixedStage(places, _rows_at(stage.floats, place), _rows_at(stage.integers, place))
    return _rows_at(stage, place)


def _rows_at(stage: AnyStage, place: dict[int, int]) -> AnyStage:
    """As ``_stage_at``, of a stage all of whose fields are (used,)."""
    here = np.isin(stage.features, list(place))
    parts = {field.name: getattr(stage, field.name)[here] for field in fields(stage)}
    parts["features"] = np.array([place[feature] for feature in parts["features"].tolist()], dtype=np.int64)
    return replace(stage, **parts)


class _Rows:
    """A tree that is put together from nodes of another."""

    def __init__(self, tree: IntegerTree) -> None:
        self.whole = tree
        self.rows: list[tuple[int, int, int, int, int]] = []  # node of the whole, depth, op, weight, bias

    def add(self, node: int, depth: int, *, op: int, weight: int, bias: int) -> None:
        self.rows.append((node, depth, op, weight, bias))

    def subtree(self, root: int, depth: int, weight: int, place: dict[int, int]) -> None:
        """All of a subtree; ``place``: the inputs of this half by feature."""
        nodes, numbers = self.whole.nodes, self.whole.numbers
        for i in range(root, subtree_end(nodes["depth"], root)):
            op = int(nodes["op"][i])
            own = weight if i == root else int(numbers.weight[i])
            down = depth + int(nodes["depth"][i]) - int(nodes["depth"][root])
            self.add(i, down, op=place[op] if op >= 0 else op, weight=own, bias=int(numbers.bias[i]))

    def tree(self) -> IntegerTree:
        at, depth, op, weight, bias = np.array(self.rows, dtype=np.int64).T
        nodes = self.whole.nodes[at].copy()
        nodes["depth"], nodes["op"] = depth, op
        numbers = Integers._make(part[at] for part in self.whole.numbers)._replace(weight=weight, bias=bias)
        return replace(self.whole, nodes=nodes, numbers=numbers)


def _node_rows(tree: IntegerTree, own: Sequence[int], sent: Sequence[Sent]) -> _Rows:
    """An output for each number sent."""
    rows, place = _Rows(tree), {feature: i for i, feature in enumerate(own)}
    mine, parent = own_side(tree, own), parents(tree.nodes["depth"])
    top = int(tree.nodes["op"][0])
    for each in sent:
        rows.add(0, 0, op=top, weight=0, bias=0)
        if each.what == "input":
            leaf = int(np.flatnonzero(tree.nodes["op"] == each.place)[0])
            rows.subtree(leaf, 1, 1, place)
        elif each.what == "value":
            rows.subtree(each.place, 1, 1, place)
        else:
            for child in np.flatnonzero(mine & (parent == each.place)).tolist():
                rows.subtree(child, 1, int(tree.numbers.weight[child]), place)
    return rows


def _gateway_rows(tree: IntegerTree, own: Sequence[int], others: Sequence[int], sent: Sequence[Sent]) -> _Rows:
    """The tree with leaves for the numbers sent, whose places come after those of the gateway's inputs."""
    rows, place = _Rows(tree), {feature: i for i, feature in enumerate(others)}
    number = {(each.what, each.place): len(others) + i for i, each in enumerate(sent)}
    mine, parent = own_side(tree, own), parents(tree.nodes["depth"]).tolist()
    nodes, numbers, after = tree.nodes, tree.numbers, 0
    for i in range(len(nodes)):
        if i < after:
            continue
        op, depth, weight = int(nodes["op"][i]), int(nodes["depth"][i]), int(numbers.weight[i])
        if mine[i] and ("sum", parent[i]) in number:
            after = subtree_end(nodes["depth"], i)
            continue
        key = ("value", i) if op < 0 else ("input", op)
        if mine[i] and key in number:
            rows.add(i, depth, op=number[key], weight=weight, bias=0)
            after = subtree_end(nodes["depth"], i)
            continue
        rows.add(i, depth, op=place[op] if op >= 0 else op, weight=weight, bias=int(numbers.bias[i]))
        if ("sum", i) in number:
            rows.add(i, depth + 1, op=number["sum", i], weight=1, bias=0)
    return rows
