"""A small writer of ONNX graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.activations import ACTIVATIONS


class Graph:
    """Nodes and constants in the order in which they were added; the names of values begin with ``prefix``."""

    def __init__(self, onnx: Any, prefix: str = "") -> None:
        self.onnx = onnx
        self.prefix = prefix
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, values: ArrayLike) -> str:
        """Add a constant and return its name. Floats keep their type, so convert them with ``single`` first."""
        name = f"{self.prefix}c{len(self.constants)}"
        self.constants.append(self.onnx.numpy_helper.from_array(np.asarray(values), name))
        return name

    def number(self, value: float) -> str:
        """Add a single float as a constant and return its name."""
        return self.constant(single(value, "a number of a column"))

    def strings(self, values: list[str]) -> str:
        """Add a constant of texts and return its name."""
        name = f"{self.prefix}c{len(self.constants)}"
        encoded = [text.encode() for text in values]
        kind = self.onnx.TensorProto.STRING
        self.constants.append(self.onnx.helper.make_tensor(name, kind, (len(values),), encoded))
        return name

    def add(self, operator: str, *inputs: str, to: str = "", **attributes: Any) -> str:
        """Add a node with one output and return its name."""
        name = to or f"{self.prefix}v{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def cast(self, value: str, kind: str) -> str:
        """The value cast to another type of ``TensorProto``."""
        name = f"{self.prefix}v{len(self.nodes)}"
        number = getattr(self.onnx.TensorProto, kind)
        self.nodes.append(self.onnx.helper.make_node("Cast", [value], [name], to=number))
        return name

    def split(self, value: str, lengths: list[int]) -> list[str]:
        """The parts of a value along its first axis."""
        names = [f"{self.prefix}v{len(self.nodes)}_{i}" for i in range(len(lengths))]
        inputs = [value, self.constant(np.array(lengths, dtype=np.int64))]
        self.nodes.append(self.onnx.helper.make_node("Split", inputs, names, axis=0))
        return names

    def activate(self, code: int, value: str) -> str:
        """The value after an activation, given by its code."""
        return ACTIVATIONS[code].onnx(self, value)

    def activate_all(self, value: str, kinds: tuple[tuple[int, int], ...]) -> list[str]:
        """The parts of a value along its first axis, each with the activation of its (code, length)."""
        parts = [value] if len(kinds) == 1 else self.split(value, [length for _, length in kinds])
        return [self.activate(code, part) for (code, _), part in zip(kinds, parts, strict=True)]


def single(values: ArrayLike, what: str) -> NDArray[np.float32]:
    """The values as single floats; ``ValueError`` names ``what`` if one is beyond their range."""
    values = np.asarray(values, dtype=np.float64)
    with np.errstate(all="ignore"):
        rounded = values.astype(np.float32)
    if not np.isfinite(rounded).all():
        worst = values[~np.isfinite(rounded)].flat[0]
        raise ValueError(
            f"{what} of {worst:g} is beyond single floats (3.4e38); scale the inputs or the target of the model"
        )
    return rounded
