"""Instructions and cycles of a call, counted from the basic blocks that it entered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuraltree.hardware.measure.cores import Core
from neuraltree.hardware.measure.emulator import SIZE_BITS
from neuraltree.hardware.measure.timing import TIMINGS, Instruction, block_cycles, decode_arm, decode_riscv


@dataclass(frozen=True)
class Count:
    """The counts of one call; the cycles are between the two bounds if memory has no wait states."""

    instructions: int
    cycles_lo: int
    cycles_hi: int


class Counter:
    """Counts the traces of one image; ``read`` returns the code at an address. Each block is decoded once."""

    def __init__(self, core: Core, read: Callable[[int, int], bytes]) -> None:
        self._core, self._read = core, read
        self._disassemble = _disassembler(core)
        self._rows: dict[int, tuple[int, int, int, int, int]] = {}

    def count(self, trace: NDArray[np.uint64]) -> Count:
        """The counts of a trace, whose entries are address << SIZE_BITS | size in the order of execution."""
        blocks, inverse = np.unique(trace, return_inverse=True)
        rows = np.array([self._row(int(block)) for block in blocks], dtype=np.int64)
        starts = (blocks >> np.uint64(SIZE_BITS)).astype(np.int64)
        ends = starts + (blocks & np.uint64(2**SIZE_BITS - 1)).astype(np.int64)
        taken = np.append(starts[inverse[1:]] != ends[inverse[:-1]], True)  # the last block returns
        entered = np.bincount(inverse, minlength=blocks.size)
        left = np.bincount(inverse, weights=taken, minlength=blocks.size).astype(np.int64)
        instructions, lo, hi = (int(total) for total in entered @ rows[:, :3])
        jump_lo, jump_hi = (int(total) for total in left @ rows[:, 3:])
        return Count(instructions, lo + jump_lo, hi + jump_hi)

    def cycles(self, trace: NDArray[np.uint64]) -> NDArray[np.float64]:
        """(entries,) the cycles of each block that a trace entered, the middle of their bounds."""
        blocks, inverse = np.unique(trace, return_inverse=True)
        rows = np.array([self._row(int(block)) for block in blocks], dtype=np.float64)[inverse]
        starts = (trace >> np.uint64(SIZE_BITS)).astype(np.int64)
        ends = starts + (trace & np.uint64(2**SIZE_BITS - 1)).astype(np.int64)
        taken = np.append(starts[1:] != ends[:-1], True)
        found: NDArray[np.float64] = (rows[:, 1] + rows[:, 2] + taken * (rows[:, 3] + rows[:, 4])) / 2
        return found

    def _row(self, block: int) -> tuple[int, int, int, int, int]:
        if block not in self._rows:
            start, size = block >> SIZE_BITS, block & (2**SIZE_BITS - 1)
            code = self._read(start, size)
            (lo, hi), (jump_lo, jump_hi) = block_cycles(self._disassemble(code, start), TIMINGS[self._core.name])
            self._rows[block] = (LENGTHS[self._core.family](code), lo, hi, jump_lo, jump_hi)
        return self._rows[block]


def _thumb_instructions(code: bytes) -> int:
    """The number of Thumb instructions. A first halfword whose upper bits are 0b11101, 0b11110 or 0b11111 is followed
    by a second one (Armv7-M ARM, A5.1)."""
    return _walk(code, lambda half: 4 if half >> 11 in (0b11101, 0b11110, 0b11111) else 2)


def _riscv_instructions(code: bytes) -> int:
    """The number of RISC-V instructions. An instruction whose lowest two bits are not 0b11 is compressed (RISC-V
    unprivileged ISA, section 1.5)."""
    return _walk(code, lambda half: 4 if half & 3 == 3 else 2)


def _walk(code: bytes, length: Callable[[int], int]) -> int:
    at = count = 0
    while at < len(code):
        at += length(int.from_bytes(code[at : at + 2], "little"))
        count += 1
    return count


LENGTHS = {"arm": _thumb_instructions, "riscv": _riscv_instructions}


def _disassembler(core: Core) -> Callable[[bytes, int], list[Instruction]]:
    import capstone

    if core.family == "arm":
        # Without V8, capstone does not know the additions of the M33; with it, code of older cores decodes the same.
        mode = capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS | capstone.CS_MODE_V8
        engine, decode = capstone.Cs(capstone.CS_ARCH_ARM, mode), decode_arm
    else:
        mode = capstone.CS_MODE_RISCV32 | capstone.CS_MODE_RISCVC
        engine, decode = capstone.Cs(capstone.CS_ARCH_RISCV, mode), decode_riscv
    engine.skipdata = True  # an instruction that capstone does not know counts as one cycle

    def disassemble(code: bytes, address: int) -> list[Instruction]:
        items: list[Any] = list(engine.disasm(code, address))
        return [decode(item) if item.id else Instruction(".byte", "") for item in items]

    return disassemble
