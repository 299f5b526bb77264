"""Predicted costs of model files on a device, as rows and as tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.table import Table

from neuraltree.compress.formats import InputSpec
from neuraltree.hardware.choice import CodeRule, Decision, candidates, decide
from neuraltree.hardware.model.cost import COSTS, breakdown, costs, fits, laid_out
from neuraltree.hardware.profile.devices import Code, Device
from neuraltree.tree.model_files import load
from neuraltree.tree.nodes import count_weights
from neuraltree.tree.soundness import refuse_several_targets
from neuraltree.tree.tree import Tree

# For each cost: the factor by which it is multiplied for display, and the heading.
SCALES = {
    "latency_s": (1e6, "latency µs"),
    "flash_bytes": (1, "flash B"),
    "ram_bytes": (1, "RAM B"),
    "energy_j": (1e6, "energy µJ"),
}
FITS = {True: "yes", False: "does not fit", None: ""}


class Prediction(NamedTuple):
    name: str
    weights: int
    costs: dict[str, float]
    fits: bool | None  # None if the profile states no capacity
    terms: dict[str, dict[str, float]]  # by cost and term, see ``cost.breakdown``
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
        decision=decision,
    )


def cost_table(predictions: Sequence[Prediction], title: str) -> Table:
    several = len({row.decision.code for row in predictions}) > 1
    table = Table("model", *["code"] * several, title=title)
    for heading in ("weights", *(label for _, label in SCALES.values()), "fits"):
        table.add_column(heading, justify="right")
    for row in predictions:
        cells = [f"{row.costs[cost] * SCALES[cost][0]:.4g}" for cost in COSTS]
        code = [" ".join(row.decision.code[:2])] * several
        table.add_row(row.name, *code, str(row.weights), *cells, FITS[row.fits])
    return table


def term_table(prediction: Prediction) -> Table:
    """A table with the part of each term in each cost; terms that add nothing are left out."""
    table = Table("term", title=prediction.name)
    for _, label in SCALES.values():
        table.add_column(label, justify="right")
    for term in prediction.terms[COSTS[0]]:
        parts = [prediction.terms[cost][term] * SCALES[cost][0] for cost in COSTS]
        if any(parts):
            table.add_row(term, *(f"{part:.4g}" for part in parts))
    return table
