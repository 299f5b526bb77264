"""The emulated cores: the options that select them in each compiler, and how their calls pass arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


class MeasureError(ValueError):
    """A measurement cannot be made; the message says why, in one line, and what to do next."""


@dataclass(frozen=True)
class Core:
    """A processor core; ``flags`` holds one row per compiler that can build for it."""

    name: str
    family: Literal["arm", "riscv", "avr"]
    model: str  # the constant of unicorn, or the name in simavr, that selects the core
    hard_float: bool  # floats are passed in floating-point registers, otherwise in integer registers
    flags: Mapping[str, tuple[str, ...]]


def _zig(target: str, cpu: str) -> tuple[str, ...]:
    return "-target", target, f"-mcpu={cpu}"


def _arm_gcc(cpu: str, fpu: str | None = None) -> tuple[str, ...]:
    floats = ("-mfloat-abi=soft",) if fpu is None else ("-mfloat-abi=hard", f"-mfpu={fpu}")
    return "-mthumb", f"-mcpu={cpu}", *floats


# zig's cortex_m4 and cortex_m33 have no FPU, so a single-precision FPU is added by name.
_ROWS = [
    Core(
        "cortex-m0plus",
        "arm",
        "UC_CPU_ARM_CORTEX_M0",  # unicorn has no M0+; both run ARMv6-M
        False,
        {"clang": _zig("thumb-freestanding-eabi", "cortex_m0plus"), "gcc": _arm_gcc("cortex-m0plus")},
    ),
    Core(
        "cortex-m3",
        "arm",
        "UC_CPU_ARM_CORTEX_M3",
        False,
        {"clang": _zig("thumb-freestanding-eabi", "cortex_m3"), "gcc": _arm_gcc("cortex-m3")},
    ),
    Core(
        "cortex-m4f",
        "arm",
        "UC_CPU_ARM_CORTEX_M4",
        True,
        {
            "clang": _zig("thumb-freestanding-eabihf", "cortex_m4+vfp4d16sp"),
            "gcc": _arm_gcc("cortex-m4", "fpv4-sp-d16"),
        },
    ),
    Core(
        "cortex-m33",
        "arm",
        "UC_CPU_ARM_CORTEX_M33",
        True,
        {
            "clang": _zig("thumb-freestanding-eabihf", "cortex_m33+fp_armv8d16sp"),
            "gcc": _arm_gcc("cortex-m33", "fpv5-sp-d16"),
        },
    ),
    Core(
        "rv32imc",
        "riscv",
        "UC_CPU_RISCV32_ANY",
        False,
        {
            "clang": _zig("riscv32-freestanding", "generic_rv32+m+c"),
            "gcc": ("-march=rv32imc", "-mabi=ilp32"),
        },
    ),
    # Built for the ATmega328P, and run on a chip with the same instructions, more memory and a second long timer.
    Core("avr", "avr", "atmega1284p", False, {"gcc": ("-mmcu=atmega328p",)}),
]
CORES = {core.name: core for core in _ROWS}


def core_named(name: str) -> Core:
    """The core of this name; ``MeasureError`` for an unknown name lists the allowed ones."""
    if name not in CORES:
        raise MeasureError(f"unknown core {name!r}; allowed: {', '.join(CORES)}")
    return CORES[name]
