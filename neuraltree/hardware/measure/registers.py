"""An emulated core, and the registers that its calling convention uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from neuraltree.hardware.measure.cores import Core


@dataclass(frozen=True)
class Registers:
    """Unicorn's numbers of the registers that a call uses: arguments in order, then stack pointer, return address and
    program counter."""

    integers: tuple[int, ...]
    floats: tuple[int, ...]
    stack: int
    back: int
    program: int


def start(core: Core) -> tuple[Any, Registers]:
    """An emulated core without memory; its FPU, if it has one, is on from the start."""
    import unicorn
    from unicorn import arm_const, riscv_const

    if core.family == "arm":
        uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        uc.ctl_set_cpu_model(getattr(arm_const, core.model))
        integers = tuple(getattr(arm_const, f"UC_ARM_REG_R{i}") for i in range(4))
        floats = tuple(getattr(arm_const, f"UC_ARM_REG_S{i}") for i in range(16))
        return uc, Registers(
            integers, floats, arm_const.UC_ARM_REG_SP, arm_const.UC_ARM_REG_LR, arm_const.UC_ARM_REG_PC
        )
    uc = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
    uc.ctl_set_cpu_model(getattr(riscv_const, core.model))
    integers = tuple(getattr(riscv_const, f"UC_RISCV_REG_A{i}") for i in range(8))
    named = (riscv_const.UC_RISCV_REG_SP, riscv_const.UC_RISCV_REG_RA, riscv_const.UC_RISCV_REG_PC)
    return uc, Registers(integers, (), *named)
