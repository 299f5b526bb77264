"""Our trees: the front of one default search for each core, exported in both number formats as straight code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

import neuraltree
from benchmarks.devices.device_tasks import Task
from benchmarks.devices.models.candidates import Candidate
from neuraltree import NeuralTreeClassifier, NeuralTreeRegressor
from neuraltree.caches import cache_folder
from neuraltree.compress.formats import PRECISIONS, InputSpec
from neuraltree.compress.input_types import sources
from neuraltree.compress.int8.integer_tree import quantize_tree
from neuraltree.export import export_c
from neuraltree.hardware.measure import store
from neuraltree.hardware.profile.load import load_device
from neuraltree.storing import store as store_files
from neuraltree.tree.model_files import load, save
from neuraltree.tree.tree import Tree
from search import Evolution

FAMILY = "neural tree (ours)"
# What a user of each core would choose.
FORMATS = {"cortex-m0plus": "int8", "cortex-m4f": "float32"}
COSTS = ("latency_s", "flash_bytes")
POPULATION, MEMBERS = 100, 8


def our_trees(task: Task, core: str, generations: int) -> Iterator[Candidate]:
    for number, (hope, tree) in enumerate(_front(task, core, generations)):
        for dtype, precision in product((np.float32, np.int16), PRECISIONS):
            inputs = "float32" if dtype is np.float32 else _counts(tree, task)
            files = export_c(tree, "model", precision=precision, style="straight", inputs=inputs)
            kept = {name: files[name] for name in ("model.c", "model.h")}
            answers = _answers(tree, task, dtype, precision, inputs)
            name = f"member {number}, {precision}"
            yield Candidate(FAMILY, name, hope, answers, kept, dtype, function="model_predict")


def _counts(tree: Tree, task: Task) -> dict[str, str]:
    """The scale of each input as a config has it."""
    return {feature: f"int16/{scale!r}" for feature, scale in zip(tree.features, task.scale.tolist(), strict=True)}


def _answers(tree: Tree, task: Task, dtype: type, precision: str, inputs: InputSpec) -> NDArray:
    if precision == "float32":
        answers = np.asarray(tree.predict(task.seen(dtype)))
    else:
        answers = np.asarray(quantize_tree(tree, sources=sources(tree, inputs)).predict(task.given(task.test_X, dtype)))
    return answers if tree.classes is None else np.searchsorted(np.asarray(tree.classes), answers)


def _front(task: Task, core: str, generations: int) -> list[tuple[float, Tree]]:
    """Promised scores and trees; kept under the hash of the search and the device's figures."""
    errors = ("error", "log_loss") if task.classes else ("error",)
    settings: dict[str, Any] = {
        "population": POPULATION,
        "generations": generations,
        "objectives": (*errors, *COSTS),
        "device": core,
        "precision": FORMATS[core],
        "baselines": (),
    }
    known = (neuraltree.__version__, repr(load_device(core)), settings, task.seed, task.X, task.y)
    folder = cache_folder("fronts") / f"peers-{store.key(*known)[:16]}"
    index = folder / "front.json"
    if not index.is_file():
        _search(task, settings, folder)
    return [(row["promised"], load(folder / row["model"])) for row in json.loads(index.read_text())]


def _search(task: Task, settings: dict[str, Any], folder: Any) -> None:
    kind = NeuralTreeClassifier if task.classes else NeuralTreeRegressor
    model = kind(Evolution(**settings), n_jobs=1, random_state=task.seed).fit(task.X, task.y)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, member in enumerate(worthy(list(model.front_))):
        rows.append({"model": f"{number}.json", "promised": 1 - member.values["honest_error"]})
        save(member.tree(), folder / f"{number}.json")
    store_files({folder / "front.json": json.dumps(rows) + "\n"})  # last: a folder with it is whole


def worthy(members: list[Any]) -> list[Any]:
    """At most ``MEMBERS`` that no other is at least as good as in honest error and one of the costs, predicted."""

    def best(member: Any, cost: str) -> bool:
        mine = (member.values["honest_error"], member.values[cost])
        pairs = [(other.values["honest_error"], other.values[cost]) for other in members]
        return not any(a <= mine[0] and b <= mine[1] and (a, b) != mine for a, b in pairs)

    kept = [member for member in members if any(best(member, cost) for cost in COSTS)]
    chosen = {round(i) for i in np.linspace(0, len(kept) - 1, MEMBERS)}  # evenly, the most accurate too
    return [kept[i] for i in sorted(chosen)]
