"""What the items of streaming code cost on a core."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from neuraltree.hardware.signals.front_items import FrontItem, Items
from neuraltree.hardware.signals.signal_figures import FunctionFigures, SignalFigures, SiteFigures
from neuraltree.hardware.signals.signal_work import Work

NOWHERE = SiteFigures()
COUNTERS = 4  # bytes of the state: samples in the hop, and hops
OF_CLASSES = 4  # bytes: the class of the last decision, and what was reported last
SCORE = 2  # bytes, of each class
VALUE = 4  # bytes of a regression's value


class ItemCost(NamedTuple):
    """Cycles of each sample and of each decision, also for the costliest samples; bytes of code, of the
    state and of the stack of any push."""

    sample_cycles: float = 0.0
    decision_cycles: float = 0.0
    worst_sample_cycles: float = 0.0
    worst_decision_cycles: float = 0.0
    flash_bytes: float = 0.0
    ram_bytes: float = 0.0
    stack_bytes: float = 0.0


def with_library(items: Items, figures: SignalFigures) -> Items:
    """The items, and one for each function of the compiler's library that they need."""
    texts = {name for item in items.values() for name in item.texts}
    needed = {other for name in texts for other in _function(figures, name).library}
    return items | {("library", name): FrontItem(constants=round(figures.library[name])) for name in sorted(needed)}


def _function(figures: SignalFigures, name: str) -> FunctionFigures:
    if name not in figures.functions:
        raise ValueError(
            f"the figures of {figures.core} by {figures.compiler} know no function {name}: they are older than it; run "
            f"{figures.command}"
        )
    return figures.functions[name]


def cost_of(item: FrontItem, figures: SignalFigures) -> ItemCost:
    """The cost of an item; ``ValueError`` if the figures do not know one of its functions."""
    sites = [(figures.sites.get(name, NOWHERE), count) for name, count in item.sites]
    sample = sum(site.sample_cycles * count for site, count in sites)
    decision = sum(site.decision_cycles * count for site, count in sites)
    return ItemCost(
        sample + _cycles(item.sample, figures, "cycles"),
        decision + _cycles(item.decision, figures, "cycles"),
        sample + _cycles(item.sample, figures, "worst"),
        decision + _cycles(item.decision, figures, "worst"),
        sum(site.flash_bytes * count for site, count in sites)
        + sum(_function(figures, name).flash_bytes for name in item.texts)
        + item.constants,
        item.ram_bytes,
        sum(site.stack_bytes * count for site, count in sites),
    )


def _cycles(calls: Iterable[tuple[str, Work]], figures: SignalFigures, which: str) -> float:
    return sum(
        factor * amount
        for name, work in calls
        for factor, amount in zip(getattr(_function(figures, name), which), work, strict=True)
    )


def model_cost(figures: SignalFigures, classes: int, precision: str) -> ItemCost:
    """What is there once in each model of so many classes, 0 for a regression, besides the tree's ``predict``."""
    model, output = (figures.sites.get(name, NOWHERE) for name in ("model", "output"))
    scores = figures.scores[precision]
    sample = model.sample_cycles
    decision = model.decision_cycles + classes * output.decision_cycles + scores.cycles[0] + classes * scores.cycles[1]
    flash = model.flash_bytes + classes * output.flash_bytes + scores.flash_bytes[0] + classes * scores.flash_bytes[1]
    state = COUNTERS + (OF_CLASSES + SCORE * classes if classes else VALUE)
    return ItemCost(sample, decision, sample, decision, flash, float(state))


def total(costs: Iterable[ItemCost]) -> ItemCost:
    """The sum of costs."""
    return ItemCost(*map(sum, zip(ItemCost(), *costs, strict=True)))


def state_bytes_of(ram_bytes: float, align: int) -> int:
    """The size of a state of so many bytes, the widest of which has ``align``."""
    return -(-int(ram_bytes) // align) * align
