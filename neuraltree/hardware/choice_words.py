"""What people are told about the code of trees: which was chosen, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from neuraltree.compress.formats import c_format
from neuraltree.hardware.choice import Decision
from neuraltree.hardware.profile.devices import Code, CycleDevice, Device

if TYPE_CHECKING:
    from neuraltree.tree.tree import Tree


def name_of(code: Code) -> str:
    """A code's number format and style."""
    return f"{code.precision} {code.style}"


def is_integer(code: Code) -> bool:
    return c_format(code.precision).is_integer


def word_of_codes(decisions: Sequence[Decision]) -> str:
    """One line about the code of all models, the commonest first."""
    by_code: dict[Code, list[Decision]] = {}
    for each in decisions:
        by_code.setdefault(each.code, []).append(each)
    first, *others = sorted(by_code.values(), key=len, reverse=True)
    counts = [f"{len(first)} of {len(decisions)} models", *map(str, map(len, others))]
    said = [f"{name_of(group[0].code)} for {n}{_why(group)}" for n, group in zip(counts, (first, *others), strict=True)]
    return f"code: {', '.join(said)}"


def _why(group: Sequence[Decision]) -> str:
    """How much faster than in float32 models in integers are, and what they lose of their scores; or what models in
    float32 would lose, if integers are faster."""
    integers = is_integer(group[0].code)
    ratios = [_times_faster(each) for each in group]
    if integers:
        losses = [each.loss for each in group if each.loss is not None]
        said = [f"up to {max(ratios):.1f} times faster than float32"] * (max(ratios) >= 1.05)  # shown as 1.1
        said += [f"losing at most {max(losses, default=0.0):.3f} of the score"] * bool(losses)
    else:
        losses = [each.loss for each, ratio in zip(group, ratios, strict=True) if each.loss and ratio < 1]
        said = [f"integers would lose up to {max(losses, default=0.0):.3f} of the score"] * bool(losses)
    return f" ({', '.join(said)})" if said else ""


def _times_faster(decision: Decision) -> float:
    """How many times faster than the fastest code of the other kind of numbers the chosen code is; 1 if there is no
    other."""
    own = decision.costs[decision.code]["latency_s"]
    others = [decision.costs[code]["latency_s"] for code in _others(decision)]
    return min(others) / own if others and own else 1.0


def _others(decision: Decision) -> list[Code]:
    """The candidates in the other kind of numbers, integers or floats."""
    return [code for code in decision.costs if is_integer(code) != is_integer(decision.code)]


def word_of_code(decision: Decision, device: Device, tree: Tree) -> str:
    """One line about the code of one model, beside the cheapest in the other number format."""
    code, score = decision.code, "R²" if tree.classes is None else "accuracy"
    said = f"{name_of(code)}: {_amounts(decision, code, device, units=True)} predicted for {device.name}"
    if others := _others(decision):
        other = min(others, key=lambda each: decision.costs[each]["latency_s"])
        said += f"; {name_of(other)} would need {_amounts(decision, other, device, units=False)}"
    if decision.loss is None:
        return said if is_integer(code) or not others else f"{said}; its loss of {score} is not known"
    return f"{said}; loss of {score} in integers {decision.loss:.3f}"


def _amounts(decision: Decision, code: Code, device: Device, *, units: bool) -> str:
    """Cycles, or the time on a device whose cycles are not counted, and flash."""
    costs = decision.costs[code]
    if isinstance(device, CycleDevice):
        time = f"{costs['latency_s'] * device.clock.value * 1e6:,.0f}{' cycles' * units}"
    else:
        time = f"{costs['latency_s'] * 1e6:.3g} µs"
    return f"{time}{',' if units else ' and'} {costs['flash_bytes']:,.0f}{' B' * units}"
