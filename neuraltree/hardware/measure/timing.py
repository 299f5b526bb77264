"""Bounds on the cycles of executed basic blocks, from published instruction timings, without wait states.

The instructions of a block are decoded once. The bounds differ if the documents give a range, or if the timing depends
on instructions outside the block.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Range = tuple[int, int]


@dataclass(frozen=True)
class Timing:
    """Cycles [lo, hi] by mnemonic without condition, width and type; an instruction that is not listed takes (1, 1).

    ``per_word`` maps an instruction with a register list to the cycles that it takes in addition to one per word.
    ``taken`` is added if the next block is not the one that follows in memory (by mnemonic; ``""`` for all others).
    Loads (``pipelined``) take one cycle less directly after another load. They may take one more if the instruction
    before computes their address, or if they read relative to the program counter. ``late`` results may cost one more
    cycle if the next instruction uses them.
    """

    cycles: Mapping[str, Range]
    taken: Mapping[str, Range]
    per_word: Mapping[str, int] = field(default_factory=dict)
    pipelined: tuple[str, ...] = ()  # a frozenset would have another repr, hence another key, in every process
    late: tuple[str, ...] = ()


def _each(names: str, cycles: Range) -> dict[str, Range]:
    return dict.fromkeys(names.split(), cycles)


_LISTS = "ldm ldmdb stm stmdb push pop vldmia vldmdb vstmia vstmdb vpush vpop"
LISTS = dict.fromkeys(_LISTS.split(), 1)
LOADS = "ldr ldrb ldrh ldrsb ldrsh"
STORES = "str strb strh"

# Arm Cortex-M3 TRM (DDI 0337I) table 3-1 and section 3.3.2, Load/store timings. A branch costs P = 1 to 3 cycles for
# refilling; a load after a load is pipelined to 1; the write buffer hides a store's second cycle; "any load or
# store that generates an address dependent on the result of a preceding data processing operation" stalls for 1;
# "LDR Rx,[PC,#imm] might add a cycle"; IT may be folded away.
_M3 = {
    **_each(LOADS, (2, 2)),
    **_each(STORES, (1, 2)),
    **_each("ldrd strd", (3, 3)),
    **_each("tbb tbh", (2, 2)),
    **_each("mla mls", (2, 2)),
    **_each("smull umull", (3, 5)),
    **_each("smlal umlal", (4, 7)),
    **_each("sdiv udiv", (2, 12)),
    **_each("mrs msr", (1, 2)),
    "it": (0, 1),
}
# Arm Cortex-M4 TRM (100166) tables 3-1 and 7-1: multiplications of any kind take 1; FPU timings; "Floating-point
# arithmetic data processing instructions ... take one cycle longer if their result is consumed by the following one".
_M4 = {
    **_M3,
    **_each("mla mls smull umull smlal umlal", (1, 1)),
    **_each("vmla vmls vnmla vnmls vfma vfms vfnma vfnms", (3, 3)),
    **_each("vdiv vsqrt", (14, 14)),
    **_each("vldr vstr", (2, 2)),
}
_FPU = "vadd vsub vmul vnmul vmla vmls vnmla vnmls vfma vfms vfnma vfnms vdiv vsqrt vcvt vcvtr"
# Arm Cortex-M0+ TRM (DDI 0484) table 3-1, with the single-cycle multiplier (the other option takes 32).
_M0PLUS = {**_each(f"{LOADS} {STORES}", (2, 2)), **_each("mrs msr dmb dsb isb", (3, 3))}
# No timing of the ESP32-C3's four-stage core is published. Assumed: one instruction per cycle, a load's value one cycle
# late, 1 to 2 cycles lost by a jump, a fast multiplier, a divider of one bit per cycle. The published timings of
# another small RV32 core, Hazard3, are within these bounds.
_RV32 = {**_each("lb lbu lh lhu lw lwsp", (1, 2)), **_each("div divu rem remu", (1, 33))}

_M3_TIMING = Timing(_M3, {"": (1, 3)}, LISTS, tuple(LOADS.split()))
_M4_TIMING = Timing(_M4, {"": (1, 3)}, LISTS, tuple(LOADS.split()), tuple(_FPU.split()))
TIMINGS = {
    "cortex-m0plus": Timing(_M0PLUS, {"": (1, 1), "bl": (2, 2), "pop": (2, 2)}, LISTS),
    "cortex-m3": _M3_TIMING,
    "cortex-m4f": _M4_TIMING,
    "cortex-m33": _M4_TIMING,  # Arm publishes no timings of the M33; those of the M4 are assumed
    "rv32imc": Timing(_RV32, {"": (1, 2)}),
}
CONDITIONS = ("eq", "ne", "cs", "hs", "cc", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le")


@dataclass(frozen=True)
class Instruction:
    """``name`` has no condition, width or type; a ``conditional`` instruction takes 1 cycle if the condition fails."""

    name: str
    operands: str
    conditional: bool = False


def decode_arm(item: Any) -> Instruction:
    """An Arm instruction as capstone decoded it."""
    name = item.insn_name()
    suffix = item.mnemonic.split(".")[0][len(name) :]
    return Instruction(name, item.op_str, suffix in CONDITIONS)


def decode_riscv(item: Any) -> Instruction:
    return Instruction(item.mnemonic.removeprefix("c."), item.op_str)


def block_cycles(block: list[Instruction], timing: Timing) -> tuple[Range, Range]:
    """Cycles of a block that falls through, and the cycles that leaving it by a jump adds."""
    costs = [_cycles(block, i, timing) for i in range(len(block))]
    taken = timing.taken.get(block[-1].name, timing.taken[""])
    return (sum(lo for lo, _ in costs), sum(hi for _, hi in costs)), taken


def _cycles(block: list[Instruction], i: int, timing: Timing) -> Range:
    item = block[i]
    lo, hi = timing.cycles.get(item.name, (1, 1))
    if item.name in timing.per_word:
        lo = hi = timing.per_word[item.name] + _words(item.operands)
    if item.name in ("vldr", "vstr") and item.operands.startswith("d"):
        lo, hi = lo + 1, hi + 1
    if item.name in timing.pipelined and (i == 0 or block[i - 1].name in timing.pipelined):
        lo -= 1
    if item.name in timing.pipelined and ("[pc" in item.operands or (i > 0 and _makes_address(block[i - 1], item))):
        hi += 1
    if item.name in timing.late and (i + 1 == len(block) or _uses(block[i + 1], item)):
        hi += 1
    return (min(lo, 1) if item.conditional else lo), hi


def _words(operands: str) -> int:
    names = re.split(r"[,\s]+", operands[operands.index("{") + 1 : operands.index("}")])
    return sum(2 if name.startswith("d") else 1 for name in names if name)


def _makes_address(before: Instruction, item: Instruction) -> bool:
    made = before.operands.split(",")[0]
    memory = before.name.startswith(("ldr", "str", "v", "push", "pop", "ldm", "stm"))
    return not memory and re.search(rf"\[.*\b{re.escape(made)}\b", item.operands) is not None


def _uses(after: Instruction, before: Instruction) -> bool:
    result = before.operands.split(",")[0]
    return re.search(rf"\b{re.escape(result)}\b", after.operands) is not None
