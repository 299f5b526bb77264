"""The sources of tables: the values that ``data.source`` may have.

iris, wine, breast_cancer, diabetes, digits   tables bundled with scikit-learn
friedman1                                     a table made by scikit-learn: 1200 rows, 10 features, noise 1
openml:ID                                     a table fetched from OpenML and cached by scikit-learn
a path, or a name ending in .csv .tsv .txt    a text file, also with .gz; with * several of one header
a name ending in .parquet .arrow .feather     columns, if pyarrow is installed; with * several of the same columns
a name ending in .npy                         columns of one array; with * several of the same columns
a name ending in .npz                         arrays X, y; optionally features, classes; by any other name row weights,
                                              groups, times and parts
any other NAME                                the file NAME.csv in the folder $NEURALTREE_DATA
"""

from __future__ import annotations

import http.client
import os
import re
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from search.config.settings import DataConfig, is_path
from search.errors import InputError
from search.strict import check_known, one_line, shown
from search.table.columnar.column_formats import FORMATS, read_columns
from search.table.files.array_tables import from_arrays, numbered_names, plain, read_npz
from search.table.files.raw import Raw
from search.table.files.text_files import read_csv

FOLDER_VARIABLE = "NEURALTREE_DATA"
_PATTERN = re.compile(r"[*?\[]")


def read_source(data: DataConfig) -> Raw:
    """The table that ``data.source`` names, without the columns of ``data.drop``."""
    source = data.source
    if not source.strip():
        raise InputError(f"data.source is empty; allowed: a CSV or .npz file, openml:ID, {', '.join(BUNDLED)}")
    if source.startswith("openml:"):
        return _openml(source, data)
    if is_path(source):
        return READERS.get(Path(source).suffix.lower(), read_csv)(files_of(source), data, source)
    return BUNDLED[source](data) if source in BUNDLED else _named(source, data)


def _bundled(name: str, data: DataConfig) -> Raw:
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")()
    y = bunch.target if "target_names" not in bunch else np.asarray(bunch.target_names)[bunch.target]
    return from_arrays(name, bunch.data, plain(y), [str(feature) for feature in bunch.feature_names], data)


def _friedman1(data: DataConfig) -> Raw:
    from sklearn.datasets import make_friedman1

    X, y = make_friedman1(n_samples=1200, n_features=10, noise=1.0, random_state=0)
    return from_arrays("friedman1", X, y, numbered_names(X), data)


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
    return from_arrays(
        source,
        bunch.data,
        plain(bunch.target),
        bunch.feature_names,
        data,
        bunch.target_names[0],
        {name: levels for name, levels in (bunch.categories or {}).items() if name in bunch.feature_names},
    )


def _npz(paths: list[Path], data: DataConfig, source: str) -> Raw:
    if len(paths) > 1:
        raise InputError(
            f"{source}: {len(paths)} .npz files; name one, or give several as .parquet, .arrow, .npy or text files"
        )
    return read_npz(paths[0], data)


def files_of(source: str) -> list[Path]:
    """The files that a path or a pattern of paths stands for, in the order of their names."""
    if not _PATTERN.search(source) or Path(source).exists():
        return [Path(source)]
    start = Path(Path(source).anchor)
    found = sorted(start.glob(str(Path(source).relative_to(start))))
    if not found:
        raise InputError(f"{source}: no file has such a name")
    return found


def _named(name: str, data: DataConfig) -> Raw:
    folder = os.environ.get(FOLDER_VARIABLE)
    problem = f"data.source = {shown(name)} is not the name of a table"
    if not folder:
        problem += f" ({FOLDER_VARIABLE}, a folder of more tables, is not set; a file needs its ending, as {name}.csv)"
        check_known(name, BUNDLED, problem)
    there = sorted(file.stem for file in Path(folder or "").glob("*.csv"))
    problem += f" (no {name}.csv in {folder}, the folder {FOLDER_VARIABLE} is set to)"
    check_known(name, [*BUNDLED, *(other for other in there if other not in BUNDLED)], problem)
    path = Path(folder or "") / f"{name}.csv"
    return read_csv([path], data, str(path))


Loader = Callable[[DataConfig], Raw]
BUNDLED: dict[str, Loader] = {
    **{name: partial(_bundled, name) for name in ("iris", "wine", "breast_cancer", "diabetes", "digits")},
    "friedman1": _friedman1,
}
# By the ending of a file that is no text.
READERS: dict[str, Callable[[list[Path], DataConfig, str], Raw]] = {
    ".npz": _npz,
    **dict.fromkeys(FORMATS, read_columns),
}
