"""Malformed jobs for the kernel, and what is wrong with them by plain recursion.

``python -m tests.helpers.kernel_fuzz`` hands them to the kernel through its caller, in a process that may crash.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import NAMES
from neuraltree.engine.forest import Forest
from neuraltree.engine.kernel.binding import PRECISIONS, Missing, load
from neuraltree.engine.kernel.kernel_lowering import KernelLowering
from neuraltree.engine.kernel.source import LOSS_CODES, OPTIMIZER_CODES
from neuraltree.engine.training import JUDGES, Course, Data, Settings
from tests.helpers.kernel_jobs import STATUS, Work, work

LEAST, MOST, FAR = -(2**31), 2**31 - 1, 2**63 - 1
STRUCTURE = ("first_node", "size", "kind", "first_param", "source")
INDICES = (*STRUCTURE, "order", "validation", "limit")
NUMBERS = ("inputs", "targets", "weight", "param", "rates", "l1", "group_l1", "first", "second", "found")
# No greater sizes than the right ones: C cannot see how long an array is, its caller checks that.
SIZES = {
    "trees": (-1, 0, 1, LEAST),
    "nodes": (-1, 0, 1, LEAST),
    "params": (-1, 0, 1, LEAST),
    "features": (-1, 0, 1, LEAST),
    "outputs": (-1, 0, 2, LEAST, MOST),
    "rows": (-1, 0, 1, -FAR),
    "shuffles": (-1, 0, 1, -FAR),
    "fit_rows": (-1, 0, 1, -FAR),
    "validation_rows": (-1, 0, 1, -FAR),
    "batch": (-1, 0, 1000, FAR, -FAR),
    "epochs": (-1, 0, LEAST),
    "patience": (-1, 0, LEAST, MOST),
    "loss": (-1, len(LOSS_CODES), LEAST, MOST),
    "optimizer": (-1, len(OPTIMIZER_CODES), LEAST, MOST),
    "judge": (-1, len(JUDGES), LEAST, MOST),
    "count": (-1, 1, 2**62, FAR, -FAR),
}
# What the caller may be given in another shape: it copies these, or they decide a length themselves.
HARMLESS = {("order", "shorter"), ("order", "longer"), ("rates", "longer"), ("validation", "longer")}
HARMLESS |= {("validation", "shorter"), ("validation", "empty")}


def corrupted(rng: np.random.Generator, given: Work) -> Work:
    """A copy with one size, or a few numbers of one array, changed."""
    bad = given.copy()
    if rng.random() < 0.3:
        name = str(rng.choice(list(SIZES)))
        bad.sizes[name] = SIZES[name][rng.integers(len(SIZES[name]))]
        return bad
    name = str(rng.choice(INDICES if rng.random() < 0.8 else NUMBERS))
    array = bad.arrays[name].reshape(-1)
    for place in rng.integers(len(array), size=rng.integers(1, 4)):
        array[place] = _another(rng, array, place)
    return bad


def _another(rng: np.random.Generator, array: NDArray, place: int) -> float:
    if array.dtype.kind == "f":
        return float(rng.choice([np.nan, np.inf, -np.inf, 1e38, -1e38, 1e-40, 0.0]))
    near = min(max(int(array[place]) + int(rng.integers(-2, 3)), LEAST), MOST)
    return int(
        rng.choice([LEAST, MOST, -1, 0, 1, len(array), len(array) - 1, near, near, near, int(rng.choice(array))])
    )


def wanted_status(given: Work) -> int:
    """What the kernel should say of a job."""
    sizes, arrays = {"count": 0} | given.sizes, given.arrays
    if not well_formed(sizes, arrays):
        return STATUS["forest"]
    tables = {"loss": LOSS_CODES, "optimizer": OPTIMIZER_CODES, "judge": JUDGES}
    in_tables = all(0 <= sizes[name] < len(table) for name, table in tables.items())
    if not in_tables or sizes["batch"] < 1 or sizes["epochs"] < 0 or not 0 <= sizes["count"] <= 2**62:
        return STATUS["settings"]
    rows, counts = sizes["rows"], [sizes[name] for name in ("rows", "fit_rows", "validation_rows")]
    if min(counts) < 0 or not _inside(arrays["validation"][: int(counts[2])], rows):
        return STATUS["rows"]
    used = arrays["order"].reshape(-1)[: int(sizes["shuffles"] * sizes["fit_rows"])]
    if sizes["epochs"] > 0 and (sizes["shuffles"] < 1 or not _inside(used, rows)):
        return STATUS["rows"]
    return STATUS["done"]


def _inside(indices: NDArray, most: float) -> bool:
    return bool(np.all((indices >= 0) & (indices < most)))


def well_formed(sizes: dict[str, Any], arrays: dict[str, NDArray]) -> bool:
    """Whether the structure is a forest, by plain recursion over its trees."""
    trees, nodes, params = int(sizes["trees"]), int(sizes["nodes"]), int(sizes["params"])
    if min(trees, nodes, params, sizes["features"]) < 0 or not 1 <= sizes["outputs"] <= 2**24:
        return False
    starts, first = arrays["first_node"][: trees + 1].tolist(), arrays["first_param"][: nodes + 1].tolist()
    if (starts[0], starts[-1], first[0], first[-1]) != (0, nodes, 0, params):
        return False
    if starts != sorted(starts) or any(end - start < 2 for start, end in itertools.pairwise(first)):
        return False
    size, source = arrays["size"].tolist(), arrays["source"]
    tops = [_tops(size, *tree) for tree in itertools.pairwise(starts)]
    leaf = np.ones(params, dtype=bool)
    leaf[first[:-1]] = leaf[np.array(first[:-1], dtype=np.int64) + 1] = False
    sources = source[:params]
    return (
        all(found == sizes["outputs"] for found in tops)
        and _inside(arrays["kind"][:nodes], len(NAMES))
        and _inside(sources[leaf], sizes["features"])
        and bool(np.all(sources[~leaf] == -1))
    )


def _tops(size: list[int], start: int, end: int) -> int:
    """How many subtrees fill the nodes from ``start`` to before ``end``; -1 if one does not fit."""
    count, node = 0, start
    while node < end:
        last = node + size[node]
        if size[node] < 1 or last > end or _tops(size, node + 1, last) < 0:
            return -1
        count, node = count + 1, last
    return count


def spoiled(array: NDArray) -> dict[str, NDArray]:
    """The array in forms that the kernel cannot read, or should not."""
    return {
        "of another type": array.astype(np.int16),
        "of the other byte order": array.astype(array.dtype.newbyteorder()),
        "not contiguous": np.repeat(array, 2, axis=0)[::2],
        "not aligned": np.frombuffer(b"\0" + array.tobytes(), array.dtype, offset=1).reshape(array.shape),
        "shorter": array[:-1],
        "longer": np.concatenate([array, array[-1:]]),
        "empty": array[:0],
        "of more axes": array[..., None],
    }


def arguments(given: Work) -> dict[str, Any]:
    """The arguments of ``KernelLowering.train`` for a job."""
    sizes, arrays = given.sizes, given.arrays
    forest = Forest(sizes["features"], sizes["outputs"], *(arrays[name] for name in STRUCTURE))
    loss, optimizer = list(LOSS_CODES)[int(sizes["loss"])], list(OPTIMIZER_CODES)[int(sizes["optimizer"])]
    settings = Settings(loss, optimizer, batch_size=sizes["batch"], precision=given.precision)
    data = Data(arrays["inputs"], arrays["targets"], arrays["weight"])
    course = Course(arrays["order"], arrays["rates"], arrays["validation"], sizes["epochs"])
    parts = {"forest": forest, "settings": settings, "data": data, "course": course}
    return parts | {"params": arrays["param"], "limit": arrays["limit"], "stop": arrays["stop"]}


def spoiled_arguments(right: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is wrong, and the arguments with that."""
    for part in ("forest", "data", "course"):
        for field, array in right[part]._asdict().items():
            for form, bad in spoiled(array).items() if isinstance(array, np.ndarray) else ():
                if (field, form) not in HARMLESS:
                    yield f"{field} {form}", right | {part: right[part]._replace(**{field: bad})}
    for name in ("params", "limit"):
        for form in ("shorter", "longer", "empty", "of more axes"):
            yield f"{name} {form}", right | {name: spoiled(right[name])[form]}
    yield "no flag", right | {"stop": np.zeros(0, np.int32)}
    yield "a flag of another type", right | {"stop": np.zeros(1, np.int8)}
    numbers: list[tuple[str, str, tuple[Any, ...]]] = [
        ("settings", "batch_size", (0, -1, 2**31, 2**64 + 1)),
        ("settings", "loss", ("unknown",)),
        ("settings", "optimizer", ("unknown",)),
        ("settings", "precision", ("float16", "int32")),
        ("course", "judge", ("unknown",)),
        ("forest", "features", (-1, 0, 4, 6, 2**32 + 5)),
        ("forest", "outputs", (-1, 0, 2, 2**32 + 1)),
        ("course", "epochs", (-1, 4, 2**31, 2**32 + 1)),
    ]
    for part, field, values in numbers:
        for value in values:
            yield f"{field} {value}", right | {part: right[part]._replace(**{field: value})}


def main() -> None:
    kernel = load()
    if isinstance(kernel, Missing):
        sys.exit(kernel.reason)
    lowering, rng = KernelLowering(kernel), np.random.default_rng(0)
    for precision in PRECISIONS:
        right = work("train", precision)
        lowering.train(**arguments(right))
        for what, bad in spoiled_arguments(arguments(right)):
            if not _refused(lowering, bad):
                sys.exit(f"accepted: {what}")
        for _ in range(300):
            worse = corrupted(rng, right)
            if worse.sizes == right.sizes and _refused(lowering, arguments(worse)) != (wanted_status(worse) > 0):
                sys.exit(f"wrongly judged: {[n for n, a in right.arrays.items() if (worse.arrays[n] != a).any()]}")


def _refused(lowering: KernelLowering, given: dict[str, Any]) -> bool:
    try:
        lowering.train(**given)
    except ValueError:
        return True
    return False


if __name__ == "__main__":
    main()
