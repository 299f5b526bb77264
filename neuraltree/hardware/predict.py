"""Predicted costs of model files on a device, as rows and as tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.table import Table

from neuraltree.arrays import FloatArray
from neuraltree.compress.formats import InputSpec
from neuraltree.hardware.choice import CodeRule, Decision, candidates, decide
from neuraltree.hardware.model.cost import COSTS, WORST, breakdown, costs, counted, fits, laid_out
from neuraltree.hardware.model.probability_cost import FLASH, LATENCY, probability_costs
from neuraltree.hardware.profile.devices import Code, Device
from neuraltree.tree.model_files import load
from neuraltree.tree.nodes import IntArray, Nodes, count_weights
from neuraltree.tree.soundness import refuse_several_targets
from neuraltree.tree.tree import Tree

# For each cost: the factor by which it is multiplied for display, and the heading.
SCALES = {
    "latency_s": (1e6, "latency µs"),
    WORST: (1e6, "worst µs"),
    "flash_bytes": (1, "flash B"),
    "ram_bytes": (1, "RAM B"),
    "energy_j": (1e6, "energy µJ"),
}
FITS = {True: "yes", False: "does not fit", None: ""}


# What the probabilities of classes add, as ``SCALES``.
ADDED_SCALES = {LATENCY: (1e6, "probabilities + µs"), FLASH: (1, "probabilities + B")}


class Prediction(NamedTuple):
    """``probabilities``: what they add, see ``probability_costs``; {} if there are none or nothing is known."""

    name: str
    weights: int
    costs: dict[str, float]
    fits: bool | None  # None if the profile states no capacity
    terms: dict[str, dict[str, float]]  # by cost and term, see ``cost.breakdown``
    probabilities: dict[str, float]
    decision: Decision


def model_files(paths: Iterable[Path]) -> list[Path]:
    """The paths, with each folder replaced by its ``*.json`` files (a run's folder by its models); ``ValueError`` if a
    folder has none."""
    found: list[Path] = []
    for path in paths:
        folder = path / "models" if (path / "models").is_dir() else path
        files = sorted(folder.glob("*.json")) if folder.is_dir() else [path]
        if not files:
            raise ValueError(f"{path}: no model (*.json) in this folder; a run keeps its models in RUN/models")
        found += files
    return found


def predict(path: Path, device: Device, code: Code, inputs: InputSpec = "float32") -> Prediction:
    """The costs of a model file in a code, or in the cheapest that an "auto" stands for.

    ``ValueError`` if the file is no model or a model of several targets, or if the device has no figures for the code.
    """
    return predict_tree(path.name, load(path), device, code, inputs)


def predict_tree(name: str, tree: Tree, device: Device, code: Code, inputs: InputSpec = "float32") -> Prediction:
    refuse_several_targets(tree.kind, tree.num_outputs, f"{name}: a cost on a device")
    (decision,) = decide([tree], device, CodeRule(candidates(code, device)), inputs)
    code = decision.code
    nodes, starts, about = laid_out([tree], inputs)
    found = costs(nodes, starts, device, *code, **about)
    terms = breakdown(nodes, starts, device, *code, **about)
    return Prediction(
        name=name,
        weights=count_weights(tree.nodes),
        costs={cost: float(values[0]) for cost, values in found.items()},
        fits=bool(fits(found, device)[0]) if device.flash_bytes or device.sram_bytes else None,
        terms={cost: {term: float(values[0]) for term, values in row.items()} for cost, row in terms.items()},
        probabilities={name: float(values[0]) for name, values in _added(nodes, starts, device, code, about).items()},
        decision=decision,
    )


def _added(nodes: Nodes, starts: IntArray, device: Device, code: Code, about: dict[str, Any]) -> dict[str, FloatArray]:
    counts = counted(nodes, starts, code.precision, **{name: row for name, row in about.items() if name != "kind"})
    return probability_costs(counts, device, *code, kind=about["kind"])


def cost_table(predictions: Sequence[Prediction], title: str, *, probabilities: bool = False) -> Table:
    """A row per model; ``probabilities``: also what they add, if it is known for a model."""
    several = len({row.decision.code for row in predictions}) > 1
    table = Table("model", *["code"] * several, title=title)
    known = [cost for cost in SCALES if any(cost in row.costs for row in predictions)]
    added = [cost for cost in ADDED_SCALES if probabilities and any(cost in row.probabilities for row in predictions)]
    headings = [*(SCALES[cost][1] for cost in known), *(ADDED_SCALES[cost][1] for cost in added)]
    for heading in ("weights", *headings, "fits"):
        table.add_column(heading, justify="right")
    for row in predictions:
        cells = [f"{row.costs[cost] * SCALES[cost][0]:.4g}" for cost in known]
        more = [row.probabilities.get(cost) for cost in added]
        cells += ["" if v is None else f"{v * ADDED_SCALES[c][0]:.4g}" for c, v in zip(added, more, strict=True)]
        written = [" ".join(row.decision.code[:2])] * several
        table.add_row(row.name, *written, str(row.weights), *cells, FITS[row.fits])
    return table


def word_on_probabilities(trees: Sequence[Tree], device: Device) -> str:
    """Why the costs of probabilities are not known for any of the trees."""
    if all(tree.classes is None for tree in trees):
        return "a regression has none"
    return f"the profile of {device.name} has no figures for them in this code"


def term_table(prediction: Prediction) -> Table:
    """A table with the part of each term in each cost; terms that add nothing are left out."""
    table = Table("term", title=prediction.name)
    for cost in COSTS:
        table.add_column(SCALES[cost][1], justify="right")
    for term in prediction.terms[COSTS[0]]:
        parts = [prediction.terms[cost][term] * SCALES[cost][0] for cost in COSTS]
        if any(parts):
            table.add_row(term, *(f"{part:.4g}" for part in parts))
    return table
