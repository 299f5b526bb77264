"""Tables in arrays: those of an ``.npz`` file, and those that another source makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import msgspec
import numpy as np
from numpy.typing import NDArray

from neuraltree.inputs.frames import Columns
from neuraltree.inputs.texts import is_missing
from search.config.settings import DataConfig
from search.errors import InputError
from search.strict import one_line, shown
from search.table.files.byte_text import check_file
from search.table.files.column_roles import ROLES, choose_columns
from search.table.files.raw import Places, Raw

_ARRAYS = ("X", "y", "features", "classes")  # arrays of an .npz file, besides those that [data] names by their role


def read_npz(path: Path, data: DataConfig) -> Raw:
    check_file(path)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in (*_ARRAYS, *_named_roles(data)) if name in stored.files}
    except Exception as error:  # a damaged archive can raise any error: OverflowError, TokenError, MemoryError, ...
        raise InputError(f"{path}: cannot be read as .npz: {one_line(error)}; allowed: plain arrays X and y") from None
    roles = {name: arrays.pop(name) for name in _named_roles(data) if name in arrays and name not in _ARRAYS}
    _check_arrays(arrays, path)
    X, y = arrays["X"], plain(arrays["y"])
    if "classes" in arrays:
        y = text_target(_class_names(arrays["classes"], path)[arrays["y"].astype(np.int64)])
    features = [str(name) for name in arrays["features"]] if "features" in arrays else numbered_names(X)
    for name, values in roles.items():
        kinds, what = ("biuf", "numbers") if name == data.weight else ("biufUM", "numbers, texts or dates")
        if values.shape != y.shape or values.dtype.kind not in kinds:
            raise InputError(f"{path}: {name} must hold {len(y)} {what}; got {values.dtype} {values.shape}")
    return replace(from_arrays(str(path), X, y, features, data, roles=roles), classes="classes" in arrays)


def _named_roles(data: DataConfig) -> dict[str, None]:
    """The names of columns with a role, each once."""
    return dict.fromkeys(name for role in ROLES if (name := getattr(data, role)))


def _class_names(classes: NDArray, path: Path) -> NDArray[np.object_]:
    names = _stripped(classes.astype(str))
    if len(set(names)) < len(names):
        name, count = Counter(names).most_common(1)[0]
        raise InputError(f"{path}: classes holds {shown(name)} {count} times; its names must differ")
    return np.array(names, dtype=object)


def _check_arrays(arrays: dict[str, NDArray], path: Path) -> None:
    """``InputError`` unless X is (rows, features), y is (rows,), and the names of features and classes fit them."""
    for name in ("X", "y"):
        if name not in arrays:
            raise InputError(f"{path}: no array named {name}; allowed: X, y, and optionally features, classes")
    shapes = {name: array.shape for name, array in arrays.items()}
    kinds = {name: array.dtype.kind for name, array in arrays.items()}
    whole = kinds["y"] in "iub" or (kinds["y"] == "f" and bool(np.all(np.floor(arrays["y"]) == arrays["y"])))
    rules: tuple[tuple[bool, str], ...] = (
        (len(shapes["X"]) != 2 or 0 in shapes["X"], "X must have the shape (rows, features)"),
        (shapes["y"] != shapes["X"][:1], "y must have the shape (rows,) with as many rows as X"),
        (kinds["X"] not in "biuf", f"X must hold numbers, not {arrays['X'].dtype}"),
        (kinds["y"] not in "biufU", f"y must hold numbers or texts, not {arrays['y'].dtype}"),
        ("features" in shapes and shapes["features"] != shapes["X"][1:], "features must name every column of X"),
        (
            "classes" in shapes and (len(shapes["classes"]) != 1 or 0 in shapes["classes"]),
            "classes must have the shape (classes,)",
        ),
        ("classes" in shapes and not whole, "y must hold positions in classes"),
    )
    for broken, text in rules:
        if broken:
            got = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
            raise InputError(f"{path}: {text}; got the shapes {got}")
    if "classes" in arrays and not (arrays["y"].min() >= 0 and arrays["y"].max() < len(arrays["classes"])):
        raise InputError(f"{path}: y must hold positions in classes, from 0 to {len(arrays['classes']) - 1}")


def from_arrays(
    source: str,
    X: NDArray,
    y: NDArray,
    features: Sequence[str],
    data: DataConfig,
    target: str = "target",
    levels: Mapping[str, Sequence[str]] = MappingProxyType({}),
    roles: Mapping[str, NDArray] = MappingProxyType({}),
) -> Raw:
    """A table from arrays X (rows, features) and y (rows,), and arrays with a role; its target cannot be chosen.

    ``levels``: the names of columns of X that hold positions in them.
    """
    names = [*features, *roles, target]
    _check_unique(names, source)
    if data.target not in ("", target):
        raise InputError(f"{source}: data.target = {shown(data.target)}; the target of this table is {shown(target)}")
    data = msgspec.structs.replace(data, target=target)
    _, kept, chosen = choose_columns(names, data, source)
    numbers = _doubles(X)
    columns: Columns = {features[i]: _named(numbers[:, i], levels.get(features[i])) for i in kept}
    others = {role: roles[names[i]] if names[i] in roles else numbers[:, i] for role, i in chosen.items()}
    weight = others.pop("weight", None)
    return Raw(
        source,
        columns,
        y,
        target,
        Places(np.arange(len(X))),
        weight=None if weight is None else _doubles(weight),
        roles={role: _stripped(values) for role, values in others.items()},
    )


def _named(codes: NDArray, levels: Sequence[str] | None) -> NDArray:
    """The cells of a column: texts if its numbers are positions in levels, NaN for a missing cell."""
    if levels is None:
        return codes
    texts = [None if np.isnan(code) else str(levels[int(code)]) for code in codes.tolist()]
    return np.array(texts, dtype=object)


def _check_unique(names: Sequence[str], source: str) -> None:
    for i, name in enumerate(names):
        if name in names[:i]:
            raise InputError(
                f"{source}: two columns are named {shown(name)}, numbers {names.index(name)} and {i} from 0; rename one"
            )


def text_target(cells: Sequence[str]) -> NDArray[np.object_]:
    """The cells as texts, with "" for a missing one; ``target`` decides later whether they are numbers."""
    return np.array(["" if is_missing(cell) else cell for cell in cells], dtype=object)


def plain(values: NDArray) -> NDArray:
    """Texts without surrounding blanks, whole numbers unchanged, other numbers as float64."""
    if values.dtype.kind in "OU":
        return text_target(_stripped(values))
    return values + 0 if values.dtype.kind in "biu" else _doubles(values)  # flags become 0 and 1


def _stripped(values: NDArray) -> list[str]:
    return [str(value).strip() for value in values]


def _doubles(values: NDArray) -> NDArray[np.float64]:
    """Numbers as float64; a number beyond its range becomes infinite and is refused later."""
    with np.errstate(over="ignore"):
        return values.astype(np.float64)


def numbered_names(X: NDArray) -> list[str]:
    return [f"x{i}" for i in range(X.shape[1])]
