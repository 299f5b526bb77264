"""What an emulated core did with a model that is fed samples, split into functions and the code around them."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuraltree.export.signals.signal_layout import Layout, layout_of
from neuraltree.export.signals.signal_library import computed, export_signal
from neuraltree.export.signals.state_fields import state_bytes, state_fields
from neuraltree.hardware.measure.cores import Core
from neuraltree.hardware.measure.image import Built
from neuraltree.hardware.signals.calibration.traced_calls import calls_of
from neuraltree.hardware.signals.front_items import FrontItem, items_of
from neuraltree.hardware.signals.pushed import NAME, Pushed, Traced, built_model, pushed
from neuraltree.hardware.signals.signal_work import Work
from neuraltree.signals.signal_model import SignalModel, reduced

GLUE = re.compile(rf"{NAME}_(push|reset)|nt_(hop|decide|next|event|largest|window\d+)")
TREE = f"{NAME}_tree_"
Items = Mapping[Hashable, FrontItem]
Sums = dict[str, NDArray[np.float64]]


@dataclass
class Record:
    """Of one model. ``sample_work`` and ``decision_work``: of each function, summed over its calls in one push.
    ``seen``: the cycles of each function in each push that called it. ``glue`` (pushes,): cycles of the code between
    functions; ``scores``: those of the tree's function in each decision. ``texts``: the names of all functions that
    items have."""

    model: SignalModel
    sites: dict[str, float]
    sample_work: dict[str, Work]
    decision_work: dict[str, Work]
    state_bytes: int
    precision: str
    built: Built
    pushes: Pushed
    glue: NDArray[np.float64]
    seen: dict[str, list[tuple[int, float]]]
    scores: list[float]
    texts: frozenset[str]

    @property
    def layout(self) -> Layout:
        """The plan of the code."""
        return layout_of(self.model.front_end, computed(self.model, self.precision))

    @property
    def ordinary(self) -> NDArray[np.bool_]:
        """(pushes,) those that end no hop, nor are the first after a reset."""
        places = np.arange(len(self.glue))
        return (places % self.model.front_end.hop != self.model.front_end.hop - 1) & (places > 0)

    def cycles_of(self, function: str, pushes: NDArray[np.bool_]) -> NDArray[np.float64]:
        """The cycles of a function in each of these pushes that called it."""
        return np.array([cycles for i, cycles in self.seen.get(function, []) if pushes[i]])


def record(
    model: SignalModel, core: Core, compiler: str, samples: NDArray[np.int16], precision: str = "int8"
) -> Record:
    """Push samples into a model and take its pushes apart."""
    model = reduced(model)
    layout = layout_of(model.front_end, computed(model, precision))
    items = items_of(layout, windows_of(layout))
    built = built_model(export_signal(model, NAME, precision=precision), core, compiler)
    size = state_bytes(state_fields(layout, model.events, len(model.tree.classes or ())))
    texts = {name for item in items.values() for name in item.texts}
    glue, scores = np.zeros(len(samples)), list[float]()
    seen: dict[str, list[tuple[int, float]]] = {}
    code = code_symbols(built, core)

    def watch(i: int, trace: Traced) -> None:
        glue[i] = trace.cycles.sum()
        sums: dict[str, float] = {}
        for call in calls_of(trace, code):
            if call.caller and GLUE.fullmatch(call.caller) and not GLUE.fullmatch(call.function):
                own = call.function.startswith(TREE) or call.function in texts  # others are of the compiler's library
                glue[i] -= call.cycles * own
                if call.function.startswith(TREE):
                    scores.append(call.cycles)
                elif own:
                    sums[call.function] = sums.get(call.function, 0.0) + call.cycles
        for name, cycles in sums.items():
            seen.setdefault(name, []).append((i, cycles))

    pushes = pushed(model, built, core, size, samples, watch)
    return Record(
        model=model,
        sites=sites_of(items),
        sample_work=work_of_items(items, "sample"),
        decision_work=work_of_items(items, "decision"),
        state_bytes=size,
        precision=precision,
        built=built,
        pushes=pushes,
        glue=glue,
        seen=seen,
        scores=scores,
        texts=frozenset(texts),
    )


def code_symbols(built: Built, core: Core) -> dict[str, tuple[int, int]]:
    """The functions of an image, each address once."""
    found = {place: name for name, place in built.symbols.items() if place[1] and "." not in name}
    if core.family == "arm":  # the lowest bit of an address says that it is code
        found = {place: name for place, name in found.items() if place[0] & 1}
    return {name: place for place, name in found.items()}


def windows_of(layout: Layout) -> list[int]:
    """The lengths of the windows of a plan, in order."""
    return sorted({one.window for one in layout.windows})


def sites_of(items: Items) -> dict[str, float]:
    """How often there is each site."""
    found: dict[str, float] = {}
    for item in items.values():
        for name, count in item.sites:
            found[name] = found.get(name, 0.0) + count
    return found


def work_of_items(items: Items, when: str) -> dict[str, Work]:
    """The work of each function, summed over its calls at each ``sample`` or each ``decision``."""
    found: dict[str, Work] = {}
    for item in items.values():
        for name, work in getattr(item, when):
            found[name] = tuple(a + b for a, b in zip(found.get(name, (0.0,) * len(work)), work, strict=True))
    return found
