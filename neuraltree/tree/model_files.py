"""Trees as JSON files: written without loss in our own format, read from it or from that of the reference.

Everything in a file is checked before it is used; a ``FileError`` says what is wrong and where.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import msgspec
import numpy as np
from msgspec import UNSET, Meta, Struct, UnsetType
from numpy.typing import ArrayLike

from neuraltree.activations import NAMES, code_of
from neuraltree.inputs.encoders import Category, Flag, Number, Ordinal, Time
from neuraltree.storing import read, store
from neuraltree.structs import to_struct
from neuraltree.tree import published
from neuraltree.tree.labels import Label
from neuraltree.tree.nodes import Nodes, node_dtype
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.soundness import DEFAULT_THRESHOLD
from neuraltree.tree.space import TreeError
from neuraltree.tree.tree import Tree

VERSIONS = (1, 2)  # the second can have columns and a band
ScalerLike = Scaler | tuple[ArrayLike, ArrayLike]  # the pair is (mean, scale)


class FileError(ValueError):
    """A file is not a tree; the message says what is wrong and where."""


class _Columns(Struct, forbid_unknown_fields=True):
    mean: list[float]
    scale: list[float]


class _Node(Struct, forbid_unknown_fields=True):
    """A function node has an activation and a bias; a leaf has a feature, by index."""

    depth: Annotated[int, Meta(ge=0, le=np.iinfo(np.int16).max)]
    weight: float
    activation: str | UnsetType = UNSET
    bias: float | UnsetType = UNSET
    feature: Annotated[int, Meta(ge=0, le=np.iinfo(np.int32).max)] | UnsetType = UNSET


class _File(Struct, forbid_unknown_fields=True):
    format: Literal["neuraltree"]
    version: Literal[1, 2]
    kind: str
    features: list[str]
    classes: list[str | int | float | bool] | None
    scaler: _Columns | None
    target_scaler: _Columns | None
    nodes: list[_Node]
    input_range: list[float] | None = None
    input_middle: list[float] | None = None
    int8_loss: float | None = None
    threshold: float = DEFAULT_THRESHOLD
    columns: list[Number | Flag | Category | Ordinal | Time] | None = None
    band: float | None = None


def dumps(tree: Tree) -> str:
    """The tree as JSON text, one node per line. The same tree gives the same text, and every double is exact."""
    head = {
        "format": "neuraltree",
        "version": VERSIONS[tree.columns is not None or tree.band is not None],
        "kind": tree.kind,
        "features": tree.features,
        "classes": tree.classes,
        "scaler": _written(tree.scaler),
        "target_scaler": _written(tree.target_scaler),
        "input_range": None if tree.input_range is None else tree.input_range.tolist(),
    }
    if tree.input_middle is not None:
        head["input_middle"] = tree.input_middle.tolist()
    if tree.int8_loss is not None:
        head["int8_loss"] = tree.int8_loss
    if tree.threshold != DEFAULT_THRESHOLD:
        head["threshold"] = tree.threshold
    if tree.columns is not None:
        head["columns"] = msgspec.to_builtins(tree.columns)
    if tree.band is not None:
        head["band"] = tree.band
    top = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    return "{\n" + ",\n".join([*top, '"nodes": [']) + "\n" + ",\n".join(map(json.dumps, _rows(tree.nodes))) + "\n]}\n"


def _written(scaler: Scaler | None) -> dict[str, list[float]] | None:
    return None if scaler is None else {"mean": scaler.mean.tolist(), "scale": scaler.scale.tolist()}


def _rows(nodes: Nodes) -> Iterator[dict[str, Any]]:
    for depth, op, (weight,), (bias,) in nodes.tolist():
        if op < 0:
            yield {"depth": depth, "activation": NAMES[~op], "weight": weight, "bias": bias}
        else:
            yield {"depth": depth, "feature": op, "weight": weight}


def save(tree: Tree, path: str | os.PathLike[str]) -> None:
    """Write the tree to the file ``path``, and create its folder if needed.

    A reader sees the old file or the new one, never a part. Raises ``OSError`` if the file cannot be written.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    store({target: dumps(tree)})


def load(
    path: str | os.PathLike[str],
    *,
    scaler: ScalerLike | None = None,
    target_scaler: ScalerLike | None = None,
    classes: Sequence[Label] | None = None,
) -> Tree:
    """Read the tree in a file; see ``loads`` for the arguments. Raises ``FileError`` if the file is not a model."""
    try:
        text = read(Path(path)).decode()
        return loads(text, scaler=scaler, target_scaler=target_scaler, classes=classes)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise FileError(f"{path}: {error}") from None


def loads(
    text: str,
    *,
    scaler: ScalerLike | None = None,
    target_scaler: ScalerLike | None = None,
    classes: Sequence[Label] | None = None,
) -> Tree:
    """Read the tree in a JSON text: our format, or a ``*_model.json`` of the reference (BNeuralT, MONT).

    The reference's files hold no scalers and no class names. ``scaler``, ``target_scaler`` and ``classes``
    are therefore for these files only. Min-max scaling, as the reference does, is a (mean, scale) of
    (minimum, maximum − minimum). Raises ``FileError`` if the text is not a model.
    """
    extras = {"scaler": scaler, "target_scaler": target_scaler, "classes": classes}
    data = _decode(text)
    try:
        if isinstance(data, dict) and "format" in data:
            return _from_own(data, [name for name, value in extras.items() if value is not None])
        if isinstance(data, dict) and "name" in data:
            return published.read_tree(data, _scaler(scaler), _scaler(target_scaler), classes)
    except UnicodeEncodeError as error:  # JSON can hold a lone surrogate, which UTF-8 cannot
        raise FileError(f"a text is not UTF-8: {error}") from None
    except (TreeError, msgspec.ValidationError) as error:
        raise FileError(str(error)) from None
    raise FileError('neither a neuraltree file (key "format") nor a model of BNeuralT or MONT (key "name")')


def _decode(text: str) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not a number")

    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError:
        raise FileError("nested too deeply to be a tree") from None
    except ValueError as error:
        raise FileError(f"not JSON: {error}") from None


def _from_own(data: dict[str, Any], extras: list[str]) -> Tree:
    if extras:
        raise FileError(f"this file has its own {', '.join(extras)}; leave the argument out")
    if data.get("version") not in VERSIONS:
        raise FileError(f"format version {data.get('version')!r}; this release reads versions 1 and 2")
    file = to_struct(data, _File)
    later = [name for name in ("columns", "band") if getattr(file, name) is not None]
    if later and file.version == VERSIONS[0]:
        raise FileError(f"a file of version 1 has no {' and no '.join(later)}; that is version 2")
    nodes = np.array([_record(i, node) for i, node in enumerate(file.nodes)], dtype=node_dtype())
    classes = None if file.classes is None else tuple(file.classes)
    scalers = _read(file.scaler), _read(file.target_scaler)
    reach, middle = (None if part is None else np.array(part) for part in (file.input_range, file.input_middle))
    names = file.kind, tuple(file.features), classes
    columns = None if file.columns is None else tuple(file.columns)
    return Tree(nodes, *names, *scalers, reach, middle, file.int8_loss, file.threshold, columns, file.band)


def _record(i: int, node: _Node) -> tuple[int, int, float, float]:
    if isinstance(node.feature, int) and node.activation is UNSET and node.bias is UNSET:
        return node.depth, node.feature, node.weight, 0.0
    if isinstance(node.activation, str) and isinstance(node.bias, float) and node.feature is UNSET:
        if node.activation not in NAMES:
            raise TreeError(f"node {i} has activation {node.activation!r}; allowed: {', '.join(NAMES)}")
        return node.depth, ~code_of(node.activation), node.weight, node.bias
    raise TreeError(f"node {i} must have either a feature, or an activation and a bias")


def _read(columns: _Columns | None) -> Scaler | None:
    return None if columns is None else _scaler((columns.mean, columns.scale))


def _scaler(given: ScalerLike | None) -> Scaler | None:
    if given is None or isinstance(given, Scaler):
        return given
    mean, scale = given
    return Scaler(np.array(mean, dtype=np.float64), np.array(scale, dtype=np.float64))
