"""The table elevators of the UCI repository, in the folder uci beside the papers' tables."""

from __future__ import annotations

import gzip
from functools import cache

import numpy as np

from experiments.frame.data_places import check_digest, looked_in, table_folders
from neuraltree.arrays import FloatArray
from search.errors import InputError

NAME = "elevators"
DIGEST = "cd252adf197af9d5982aebc864a5366407e02956122f54011577356f3dfad702"


@cache
def elevators() -> tuple[FloatArray, FloatArray]:
    """(16599, 18) inputs and (16599,) targets, which are scaled and centred: their unit is not the published one.

    Raises ``InputError`` if the file is absent or another one.
    """
    folders = [folder.parent / "uci" for folder in table_folders()]
    path = next((found for folder in folders if (found := folder / f"{NAME}.csv.gz").is_file()), None)
    if path is None:
        raise InputError(f"no {NAME}.csv.gz in {looked_in(folders)}; leave the table out: --only")
    check_digest(path, path.read_bytes(), DIGEST)
    with gzip.open(path, "rt") as file:
        names = file.readline().strip().split(",")
        values = np.loadtxt(file, delimiter=",")
    target = names.index("target")
    return values[:, :target], values[:, target]
