"""The 14 tables of the papers, by the names of their files: found, checked by their digests, read as by a search."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from experiments.frame.data_places import check_digest, looked_in, table_folders
from search.config.settings import Config, DataConfig, TaskConfig
from search.errors import InputError
from search.strict import check_known
from search.table.data import Table
from search.table.loading import load_table

CLASSIFICATION = ("australian", "heart", "ionosphere", "pima", "wdbc", "iris", "wine", "vehicle", "glass")
REGRESSION = ("baseball", "dee", "diabetese", "friedman", "mpg6")
TABLES = CLASSIFICATION + REGRESSION

# SHA-256 of each file, as published in the folder data/ of vojha-code/BNeuralT.
DIGESTS = {
    "australian": "ebfd58e19ca36aa1437bcde65e98f474ac83eb4e76eb2beca7cdcedfaae1dc95",
    "heart": "47ca143043d7dacfe6423a74affcb0611788f3ce8fd903efb35a9e4204484436",
    "ionosphere": "984b0a50ac3ce4341f34bf75c84a9b95b2a9fe8ea256e556e5a822b512d9c63e",
    "pima": "f6714163e5c8887b36fff98293eb7bfe48bce468d96a285d966f6420968f749e",
    "wdbc": "584f24c64615c19e222a7ad0130249c12d9dbb8b15c52ba7881ddd6ff8619f71",
    "iris": "41a2e4e8c2c889a5ec590568e7532305fc57b58a3684986d7645cf42d8365335",
    "wine": "ae68fcf282ec59c9f8f5eb4ff0865413c2acead31972bb4cdc7f71bc05dc0d46",
    "vehicle": "aed28dde8fd80991d9fa6aa5dfbd7abe32397d1a3549984963b47388dd941a24",
    "glass": "b5298f477e91d1b30d38afaceb7ab95df881daf6d1f035a3afcce0f8f44b178c",
    "baseball": "5928b0c9e70a4765d8b7419302e4c3af01685735cbb0376845082f6f0f03cf6f",
    "dee": "67aefcb33e39e2faa97a362b72c10a50696174261e011ae6b74c87c76d04c459",
    "diabetese": "048771b8b37bfd66c50ebf20e099f29033214b42c3c204f88fb9ea4106aca2d7",
    "friedman": "860f575f50f5853e348d8c9d32ea6d49ded9b9088d35b246f43fbe701e0e8222",
    "mpg6": "9bbbf207d14d1c933f844b2e26956f44bf47f14bcb9fa32d6052409464039af7",
}


class OpenMl(NamedTuple):
    """A data set of OpenML with the values of a table, row by row: its number, and ``values_digest`` of both."""

    number: int
    values: str


# OpenML lacks the other tables, or rounds or orders them differently, which would change the hold-outs.
OPENML = {
    "iris": OpenMl(61, "c37f85d82b03a21b16ea63372d3c4e370ba66e3c0cf55cddc6aebdf4df1d7e72"),
    "wine": OpenMl(187, "c7e84e8e03b2b5a354287416d84d08945318450658a22a63c39973d8306c2ca4"),
    "vehicle": OpenMl(54, "2c1ffa82147df159b4df17c4069dba858b733e08422f73e650dc8d8e6897d6d6"),
    "wdbc": OpenMl(1510, "21db8f5b2f651acd015475d14aceaf793c1db8657ac12b95b623ad6eee0cb8ad"),
}


@cache
def table(name: str) -> Table:
    """A table, read as a search reads it. ``InputError`` if it cannot be found or differs from the published one."""
    check_known(name, TABLES, f"there is no table {name!r}")
    path = _path(name)
    if path is not None:
        check_digest(path, path.read_bytes(), DIGESTS[name])
        return _read(name, str(path))
    if name not in OPENML:
        raise _absent([name])
    try:
        found = _read(name, f"openml:{OPENML[name].number}")
    except InputError as error:
        raise InputError(f"{_absent([name])}; {error}") from None
    if values_digest(found) != OPENML[name].values:
        raise InputError(f"{_absent([name])}; openml:{OPENML[name].number} has other values now")
    return found


def values_digest(table: Table) -> str:
    """The SHA-256 of all values in their order, classes as positions; names do not count."""
    return hashlib.sha256(table.X.astype("<f8").tobytes() + table.y.astype("<f8").tobytes()).hexdigest()


def check_found(names: Iterable[str]) -> None:
    """One ``InputError`` for all of the 14 tables in ``names`` that cannot be found; other names are ignored."""
    absent = [name for name in dict.fromkeys(names) if name in TABLES and _path(name) is None]
    if lost := [name for name in absent if name not in OPENML]:
        raise _absent(lost)
    for name in absent:
        table(name)


def _path(name: str) -> Path | None:
    return next((path for folder in table_folders() if (path := folder / f"{name}.csv").is_file()), None)


def _read(name: str, source: str) -> Table:
    return load_table(Config(DataConfig(source=source), task=TaskConfig(kind=kind(name))))


def kind(name: str) -> Literal["regression", "classification"]:
    return "regression" if name in REGRESSION else "classification"


def _absent(names: list[str]) -> InputError:
    files = ", ".join(f"{name}.csv" for name in names)
    return InputError(
        f"no {files} in {looked_in(table_folders())}; get the folder data/ of https://github.com/vojha-code/BNeuralT "
        "and set NEURALTREE_DATA to it"
    )
