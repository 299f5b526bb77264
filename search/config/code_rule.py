"""The code that a config asks for, and what chooses it for each tree if it is "auto"."""

from __future__ import annotations

from neuraltree.hardware.choice import CodeRule, candidates
from neuraltree.hardware.profile.devices import Code, Device
from search.config.config import Config
from search.objectives import USUAL_COSTS

SEVERAL = "/"  # between the number formats of which each model has one


def code_of(config: Config, device: Device | None) -> Code:
    compiler = config.hardware.compiler
    build = device.build(compiler) if device else compiler
    hardware = config.hardware
    precision = hardware.precision if isinstance(hardware.precision, str) else SEVERAL.join(hardware.precision)
    return Code(precision, hardware.style, build)


def codes_of(config: Config, device: Device | None) -> tuple[Code, ...]:
    """The codes among which models have theirs. ``ValueError`` if the device lacks figures for one of the formats."""
    code = code_of(config, device)
    asked = [code._replace(precision=name) for name in config.hardware.formats] or [code]
    return tuple(asked if device is None else (found for each in asked for found in candidates(each, device)))


def rule_of(config: Config, device: Device | None) -> CodeRule:
    """The costs among objectives and constraints choose the code of a tree, in the order of the config.

    ``ValueError`` if the device has no figures for the code.
    """
    codes = codes_of(config, device)
    if device is None:
        return CodeRule(codes)
    order = tuple(name for name in (*config.search.objectives, *config.constraints) if name in USUAL_COSTS)
    return CodeRule(codes, order, _cost_limits(config, device), config.hardware.max_score_loss)


def _cost_limits(config: Config, device: Device) -> dict[str, float]:
    """The largest allowed value of each cost that is constrained, and of flash and RAM if the device states its own."""
    found = {name: bound for name, bound in config.constraints.items() if name in USUAL_COSTS}
    stated = {"flash_bytes": device.flash_bytes, "ram_bytes": device.sram_bytes}
    sizes = {name: float(size.value) for name, size in stated.items() if size is not None}
    return found | {name: min(size, found.get(name, size)) for name, size in sizes.items()}
