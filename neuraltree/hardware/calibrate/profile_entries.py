"""Entries of a profile made from samples, as tables that ``profile_toml`` turns into TOML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from neuraltree.activations import NAMES
from neuraltree.compress.formats import number_format
from neuraltree.hardware.calibrate.fit import Residual, apply, fit_terms, residual, residual_of_bound
from neuraltree.hardware.calibrate.measured_samples import Sample, columns
from neuraltree.hardware.calibrate.probability_fit import probabilities
from neuraltree.hardware.calibrate.ram_fit import RamFit, fit_ram
from neuraltree.hardware.measured_functions import USUAL
from neuraltree.hardware.model.linear_model import NODES, TASKS
from neuraltree.hardware.profile.profile_schema import SHARED

OPTIONAL = (*TASKS, "inner_node", "spilled_edge", "far_input")
Terms = dict[str, float]


def entry(samples: Sequence[Sample], held_out: Sequence[Sample], key: dict[str, str]) -> dict[str, Any]:
    """One ``[[entries]]`` table: fitted to ``samples``, with its residuals over ``held_out``.

    ``key``: precision, style, compiler.
    """
    each, once, figures = columns(samples)
    source = f"non-negative least squares over {len(samples)} compiled and emulated trees, random and trained"
    ends, worst = (
        [fit_terms(each, figures[f"{name}_{end}"], "cycles") for end in ("lo", "hi")]
        for name in ("cycles", "worst_cycles")
    )
    flash = fit_terms(once, figures["flash_bytes"], "flash")
    is_integer = number_format(key["precision"]).is_integer
    ram = fit_ram(once, figures["ram_bytes"], is_integer=is_integer)
    shares = probabilities(samples, is_integer=is_integer)
    judged = _residuals(held_out, ends, worst, flash, ram)
    counted = "instructions" in figures
    counts = [fit_terms(each, figures[name], name) for name in ("instructions",) if counted]
    meter = "executed blocks times published timings, no wait states" if counted else "simavr's cycles"
    return {
        **key,
        "compiler_version": samples[0].measured.compiler,
        **({"instructions": _block("instruction", source, counts)} if counted else {}),
        "cycles": _block("cycle", f"{source}; {meter}", ends),
        "worst_cycles": _block("cycle", f"{source}; {meter}; the costliest of {USUAL.stop} inputs", worst),
        "flash": _block("B", f"{source}; sizes of the linked sections", [flash]),
        **ram.blocks(),
        **({"probabilities": shares} if shares else {}),
        "residuals": {name: rounded(found) for name, found in judged.items()},
    }


def _residuals(
    held_out: Sequence[Sample], ends: list[Terms], worst: list[Terms], flash: Terms, ram: RamFit
) -> dict[str, Residual]:
    each, once, figures = columns(held_out)
    cycles, most = ((apply(each, lo) + apply(each, hi)) / 2 for lo, hi in (ends, worst))
    return {
        "cycles": residual(cycles, figures["cycles"]),
        "worst_cycles": residual(most, figures["worst_cycles"]),
        "flash": residual(apply(once, flash), figures["flash_bytes"]),
        "ram": residual_of_bound(ram.of(once), figures["ram_bytes"]),
    }


def rounded(found: Residual) -> dict[str, float]:
    """The residual in the form that a profile states."""
    names = ("rmspe_percent", "within_5_percent", "within_10_percent", "worst_percent")
    values: dict[str, float] = {name: round(getattr(found, name), 1) for name in names}
    of_bound = {name: getattr(found, name) for name in ("below_percent", "near_percent")}
    values |= {name: round(value, 1) for name, value in of_bound.items() if value is not None}
    return values | {"kendall": round(found.kendall, 3), "trees": asdict(found)["trees"]}


def _block(unit: str, source: str, ends: list[Terms], optional: Sequence[str] = OPTIONAL) -> dict[str, Any]:
    """A block of figures; the second of two fits gives the upper ends. ``optional`` figures of 0 are left out."""
    figures = {
        name: dict(zip(("lo", "hi"), (end[name] for end in ends), strict=False))
        for name in ends[0]
        if not (name in (*optional, *NODES, *SHARED) and not any(end[name] for end in ends))
    }
    groups = {"kinds": {name: name for name in NAMES}, "nodes": dict(zip(NAMES, NODES, strict=True))}
    groups["shared"] = {name: name for name in SHARED}
    inner = {
        group: {name: figures.pop(term) for name, term in terms.items() if term in figures}
        for group, terms in groups.items()
    }
    head = {"unit": unit, "certainty": "M", "source": source}
    return {**head, **figures, **{group: rows for group, rows in inner.items() if rows}}
