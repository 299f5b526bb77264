"""Hand-written C: compiled at run time, called through ctypes, an equal share of the trees for every thread."""

from __future__ import annotations

import ctypes
import itertools
import shutil
import subprocess
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.jax_loop import in_threads
from benchmarks.peers.workload import DECAY, EPSILON, LEARNING_RATE, Contender, Workload
from neuraltree.tree.nodes import join, parents

SOURCE = Path(__file__).parents[1] / "train_speed.c"
FLAGS = ("-O3", "-march=native", "-ffast-math", "-std=c99")


class Population(ctypes.Structure):
    """``Population`` of train_speed.c."""

    _fields_ = (
        *((name, ctypes.c_int32) for name in ("features", "most_nodes")),
        *((name, ctypes.c_void_p) for name in ("first_node", "activation", "first_param", "source")),
        *((name, ctypes.c_void_p) for name in ("param", "gradient", "square")),
    )


class Plan(ctypes.Structure):
    """``Plan`` of train_speed.c."""

    _fields_ = (
        *((name, ctypes.c_int32) for name in ("steps", "epochs")),
        *((name, ctypes.c_void_p) for name in ("inputs", "targets", "order")),
        *((name, ctypes.c_float) for name in ("rate", "decay", "epsilon")),
    )


class Flat(NamedTuple):
    """A population in post-order; ``node`` (params,) is each param's node in the trees laid end to end."""

    structure: dict[str, NDArray[np.int32]]  # the index arrays of ``Population``
    node: NDArray[np.int64]
    is_bias: NDArray[np.bool_]
    param: NDArray[np.float32]


def flatten(work: Workload) -> Flat:
    """Prefix order backwards is a post-order."""
    nodes, starts = join(work.trees)
    tree = np.repeat(np.arange(len(work.trees)), np.diff(starts))
    op, parent, index = nodes["op"], parents(nodes["depth"]), np.arange(len(nodes))
    order = np.lexsort((-index, tree))
    order = order[op[order] < 0]
    first_node = np.searchsorted(tree[order], np.arange(len(work.trees) + 1))
    position = np.zeros(len(nodes), dtype=np.int64)
    position[order] = np.arange(len(order))
    place = position - first_node[tree]
    # A param is the bias of a node or, after it, the weight of an edge to one of its children.
    child = np.flatnonzero(parent >= 0)
    node, is_bias = np.concatenate([order, child]), np.arange(len(order) + len(child)) < len(order)
    owner = position[np.where(is_bias, node, parent[node])]
    sort = np.lexsort((~is_bias, owner))
    node, is_bias, owner = node[sort], is_bias[sort], owner[sort]
    arrays = {
        "first_node": first_node,
        "activation": ~op[order],
        "first_param": np.searchsorted(owner, np.arange(len(order) + 1)),
        "source": np.where(op[node] < 0, work.space.n_features + place[node], op[node]),
    }
    param = np.where(is_bias, nodes["bias"][node, 0], nodes["weight"][node, 0]).astype(np.float32)
    return Flat({name: array.astype(np.int32) for name, array in arrays.items()}, node, is_bias, param)


def available() -> bool:
    return shutil.which("cc") is not None


def compile_library(batch: int) -> Any:
    """``train`` of train_speed.c. Linked without -ffast-math, which would change the rounding of the whole process."""
    with tempfile.TemporaryDirectory() as folder:
        part, whole = Path(folder, "part.o"), Path(folder, "whole.so")
        subprocess.run(("cc", *FLAGS, f"-DBATCH={batch}", "-fPIC", "-c", SOURCE, "-o", part), check=True)
        subprocess.run(("cc", "-shared", part, "-lm", "-o", whole), check=True)
        train = ctypes.CDLL(str(whole)).train  # stays loaded when the file is gone
    train.argtypes = (ctypes.POINTER(Population), ctypes.POINTER(Plan), ctypes.c_int32, ctypes.c_int32)
    return train


class Trained(NamedTuple):
    param: NDArray[np.float32]
    gradient: NDArray[np.float32]  # of the last step


def handwritten(work: Workload, threads: int) -> Contender:
    """ctypes releases the interpreter lock, so Python threads suffice."""
    flat, train = flatten(work), compile_library(work.batch)
    cuts = np.linspace(0, len(work.trees), threads + 1).astype(int).tolist()
    most_nodes = int(np.diff(flat.structure["first_node"]).max())
    structure = [array.ctypes.data for array in flat.structure.values()]
    rows = [array.ctypes.data for array in (work.inputs, work.targets, work.order)]
    plan = Plan(work.order.shape[1] // work.batch, len(work.order), *rows, LEARNING_RATE, DECAY, EPSILON)

    def share(population: Population, start: int, stop: int) -> None:
        if train(population, plan, start, stop):
            raise MemoryError("the C program could not allocate its rows")

    def run() -> Trained:
        result = Trained(flat.param.copy(), np.zeros_like(flat.param))
        square = np.zeros_like(flat.param)
        arrays = [array.ctypes.data for array in (*result, square)]
        population = Population(work.space.n_features, most_nodes, *structure, *arrays)
        in_threads([partial(share, population, *ends) for ends in itertools.pairwise(cuts)], threads)
        return result

    return Contender(run, work.weights, work.order.size)
