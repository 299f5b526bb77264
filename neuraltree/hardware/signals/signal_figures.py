"""The figures of streaming code on a core: what each function and each place that calls one costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from neuraltree.hardware.profile.devices import CycleDevice, Device

FOLDER = "data"
# Cores that no emulator here counts: those of clang on another, with cycles times the middle of the factors that their
# profiles have for int8 code.
SCALED: Mapping[str, tuple[str, float]] = MappingProxyType(
    {"cortex-m7": ("cortex-m4f", 0.545), "xtensa-lx6": ("cortex-m4f", 1.2), "xtensa-lx7": ("cortex-m4f", 1.2)}
)


class FunctionFigures(Struct, frozen=True, forbid_unknown_fields=True):
    """``cycles``: for each number of its work, see ``signal_work``; ``worst``: the same for the costliest samples;
    ``flash_bytes``: its code and tables; ``library``: the functions of the compiler's library that it needs."""

    cycles: tuple[float, ...]
    worst: tuple[float, ...]
    flash_bytes: float
    library: tuple[str, ...] = ()


class SiteFigures(Struct, frozen=True, forbid_unknown_fields=True):
    """What one place in the code takes: cycles of each sample and of each decision, bytes of code, and of stack."""

    sample_cycles: float = 0.0
    decision_cycles: float = 0.0
    flash_bytes: float = 0.0
    stack_bytes: float = 0.0


class ScoreFigures(Struct, frozen=True, forbid_unknown_fields=True):
    """What a tree's function takes more than ``predict``: once, and for each output."""

    cycles: tuple[float, float]
    flash_bytes: tuple[float, float]


class SignalFigures(Struct, frozen=True, forbid_unknown_fields=True):
    """``functions``: by their names in C. ``library``: bytes of each function of the compiler's library. ``sites``: see
    ``front_items``; "model" is there once and "output" for each class. ``scores``: by precision. ``frame_bytes``: the
    stack of a push besides the tree's; ``stack_bytes``: of a push that computes a feature, by its name, without the
    arrays of its parts; both without that of sites. ``worst_margin``: by which the sum of all worst figures is
    multiplied."""

    core: str
    compiler: str
    version: str
    command: str
    functions: dict[str, FunctionFigures]
    library: dict[str, float]
    sites: dict[str, SiteFigures]
    scores: dict[str, ScoreFigures]
    frame_bytes: float
    stack_bytes: dict[str, float]
    worst_margin: float


def figures_for(device: Device, compiler: str) -> SignalFigures:
    """The figures of the device's core; ``ValueError`` if there are none, with the names of cores that have some."""
    if isinstance(device, CycleDevice):
        if device.core in SCALED:
            core, factor = SCALED[device.core]
            return _scaled(_read(file_name(core, "clang")), factor)
        name = file_name(device.core, device.build(compiler))
        if name in known():
            return _read(name)
    raise ValueError(
        f"device {device.name} has no figures for windows of samples in code by {compiler}; choose a core and compiler "
        f"of {_listed(known())}, a board with one of these cores, or measure another with "
        "python -m neuraltree.hardware.signals.calibration"
    )


def file_name(core: str, compiler: str) -> str:
    """Of the figures of a core and a compiler."""
    return f"{core}_{compiler}.json"


def known() -> list[str]:
    """The names of all files of figures."""
    folder = files("neuraltree.hardware.signals") / FOLDER
    return sorted(item.name for item in folder.iterdir() if item.name.endswith(".json"))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(name.removesuffix(".json").replace("_", " by ") for name in names)


@cache
def _read(name: str) -> SignalFigures:
    content = (files("neuraltree.hardware.signals") / FOLDER / name).read_bytes()
    return msgspec.json.decode(content, type=SignalFigures)


def _scaled(figures: SignalFigures, factor: float) -> SignalFigures:
    """The figures with cycles times a factor."""

    def times(values: Iterable[float]) -> tuple[float, ...]:
        return tuple(value * factor for value in values)

    functions = {
        name: replace(row, cycles=times(row.cycles), worst=times(row.worst)) for name, row in figures.functions.items()
    }
    sites = {
        name: replace(row, sample_cycles=row.sample_cycles * factor, decision_cycles=row.decision_cycles * factor)
        for name, row in figures.sites.items()
    }
    scores = {name: replace(row, cycles=times(row.cycles)) for name, row in figures.scores.items()}
    return replace(figures, functions=functions, sites=sites, scores=scores)
