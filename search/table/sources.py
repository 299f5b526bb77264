"""The sources of tables: the values that ``data.source`` may have.

iris, wine, breast_cancer, diabetes, digits   tables bundled with scikit-learn
friedman1                                     a table made by scikit-learn: 1200 rows, 10 features, noise 1
openml:ID                                     a table fetched from OpenML and cached by scikit-learn
a path, or a name ending in .csv .tsv .txt    a text file
a name ending in .npz                         arrays X, y; optionally features, classes; by any other name row weights,
                                              groups, times and parts
any other NAME                                the file NAME.csv in the folder $NEURALTREE_DATA
"""

from __future__ import annotations

import http.client
import os
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

import msgspec
import numpy as np
from numpy.typing import NDArray

from search.config.settings import DataConfig, is_path
from search.errors import InputError
from search.strict import check_known, listed, one_line, shown
from search.table.raw import Raw, check_unique, drop_line
from search.table.text_files import ROLES, check_file, choose_columns, read_csv, text_target

FOLDER_VARIABLE = "NEURALTREE_DATA"
_ARRAYS = ("X", "y", "features", "classes")  # arrays of an .npz file, besides those that [data] names by their role


def read_source(data: DataConfig) -> Raw:
    """The table that ``data.source`` names, without the columns of ``data.drop``."""
    source = data.source
    if not source.strip():
        raise InputError(f"data.source is empty; allowed: a CSV or .npz file, openml:ID, {', '.join(BUNDLED)}")
    if source.startswith("openml:"):
        return _openml(source, data)
    if is_path(source):
        read = _npz if source.lower().endswith(".npz") else read_csv
        return read(Path(source), data)
    return BUNDLED[source](data) if source in BUNDLED else _named(source, data)


def _bundled(name: str, data: DataConfig) -> Raw:
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")()
    y = bunch.target if "target_names" not in bunch else np.asarray(bunch.target_names)[bunch.target]
    return _from_arrays(name, bunch.data, _plain(y), [str(feature) for feature in bunch.feature_names], data)


def _friedman1(data: DataConfig) -> Raw:
    from sklearn.datasets import make_friedman1

    X, y = make_friedman1(n_samples=1200, n_features=10, noise=1.0, random_state=0)
    return _from_arrays("friedman1", X, y, _numbered(X), data)


def _openml(source: str, data: DataConfig) -> Raw:
    from sklearn.datasets import fetch_openml

    number = source.removeprefix("openml:")
    if not number.isdecimal():
        raise InputError(f"data.source = {shown(source)}; allowed: openml: and the number of a data set, as openml:61")
    try:
        with warnings.catch_warnings(action="ignore"):  # failed attempts warn; the last one raises
            # This parser works without pandas.
            bunch = fetch_openml(data_id=int(number), as_frame=False, parser="liac-arff")
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise InputError(
            f"{source}: cannot be fetched from OpenML: {one_line(error)}; "
            "check the number and the network, or give a CSV file as data.source"
        ) from None
    if not isinstance(bunch.data, np.ndarray) or bunch.target is None or np.ndim(bunch.target) != 1:
        raise InputError(f"{source}: not a dense table with one target; give it as a CSV file instead")
    coded = [name for name in bunch.feature_names if name in (bunch.categories or {}) and name not in data.drop]
    if coded:
        raise InputError(
            f"{source}: {len(coded)} columns hold categories, not numbers: {listed(coded)}; encode them as numbers "
            f"in a CSV file, or leave them out: {drop_line(data.drop, coded)}"
        )
    return _from_arrays(source, bunch.data, _plain(bunch.target), bunch.feature_names, data, bunch.target_names[0])


def _npz(path: Path, data: DataConfig) -> Raw:
    check_file(path)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in (*_ARRAYS, *_named_roles(data)) if name in stored.files}
    except Exception as error:  # a damaged archive can raise any error: OverflowError, TokenError, MemoryError, ...
        raise InputError(f"{path}: cannot be read as .npz: {one_line(error)}; allowed: plain arrays X and y") from None
    roles = {name: arrays.pop(name) for name in _named_roles(data) if name in arrays and name not in _ARRAYS}
    _check_arrays(arrays, path)
    X, y = arrays["X"], _plain(arrays["y"])
    if "classes" in arrays:
        y = text_target(_class_names(arrays["classes"], path)[arrays["y"].astype(np.int64)])
    features = [str(name) for name in arrays["features"]] if "features" in arrays else _numbered(X)
    for name, values in roles.items():
        kinds, what = ("biuf", "numbers") if name == data.weight else ("biufUM", "numbers, texts or dates")
        if values.shape != y.shape or values.dtype.kind not in kinds:
            raise InputError(f"{path}: {name} must hold {len(y)} {what}; got {values.dtype} {values.shape}")
    return replace(_from_arrays(str(path), X, y, features, data, roles=roles), classes="classes" in arrays)


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


def _named(name: str, data: DataConfig) -> Raw:
    folder = os.environ.get(FOLDER_VARIABLE)
    problem = f"data.source = {shown(name)} is not the name of a table"
    if not folder:
        problem += f" ({FOLDER_VARIABLE}, a folder of more tables, is not set; a file needs its ending, as {name}.csv)"
        check_known(name, BUNDLED, problem)
    there = sorted(file.stem for file in Path(folder or "").glob("*.csv"))
    problem += f" (no {name}.csv in {folder}, the folder {FOLDER_VARIABLE} is set to)"
    check_known(name, [*BUNDLED, *(other for other in there if other not in BUNDLED)], problem)
    return read_csv(Path(folder or "") / f"{name}.csv", data)


def _from_arrays(
    source: str,
    X: NDArray,
    y: NDArray,
    features: Sequence[str],
    data: DataConfig,
    target: str = "target",
    roles: Mapping[str, NDArray] = MappingProxyType({}),
) -> Raw:
    """A table from arrays X (rows, features) and y (rows,), and arrays with a role; its target cannot be chosen."""
    names = [*features, *roles, target]
    check_unique(names, source)
    if data.target not in ("", target):
        raise InputError(f"{source}: data.target = {shown(data.target)}; the target of this table is {shown(target)}")
    data = msgspec.structs.replace(data, target=target)
    _, kept, chosen = choose_columns(names, data, source)
    numbers = _doubles(X)
    columns = {role: roles[names[i]] if names[i] in roles else numbers[:, i] for role, i in chosen.items()}
    weight = columns.pop("weight", None)
    return Raw(
        source,
        numbers[:, kept],
        y,
        tuple(features[i] for i in kept),
        target,
        range(len(X)),
        weight=None if weight is None else _doubles(weight),
        roles={role: _stripped(values) for role, values in columns.items()},
    )


def _plain(values: NDArray) -> NDArray:
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


def _numbered(X: NDArray) -> list[str]:
    return [f"x{i}" for i in range(X.shape[1])]


Loader = Callable[[DataConfig], Raw]
BUNDLED: dict[str, Loader] = {
    **{name: partial(_bundled, name) for name in ("iris", "wine", "breast_cancer", "diabetes", "digits")},
    "friedman1": _friedman1,
}
