"""A core in unicorn: it calls functions of an image and records the basic blocks that each call enters."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neuraltree.hardware.measure.cores import Core, MeasureError
from neuraltree.hardware.measure.image import FLASH, FLASH_BYTES, RAM, RAM_BYTES, Built
from neuraltree.hardware.measure.registers import start

Argument = NDArray[Any] | int | float
# "int" is C's int, of 16 bits on an AVR and of 32 elsewhere.
Result = Literal["uint8", "int", "int32", "float32"] | None

MAX_BLOCKS = 4_000_000  # a call that enters more counts as an endless loop; a training step enters about 200,000
ARGUMENTS, ARGUMENTS_BYTES = 0x2100_0000, 0x0040_0000
STACK, STACK_BYTES = 0x2200_0000, 0x0001_0000
BACK = FLASH + FLASH_BYTES - 16  # the return address of a call: in flash that the linker script leaves free
PAINT = b"\xc5\x5c\xa9\x9a"
SIZE_BITS = 16  # the low bits of a trace's entry are the block's size in bytes, the high bits its address


@dataclass(frozen=True)
class Done:
    """One call: blocks entered, stack bytes used, the result, and the contents of array arguments after the call."""

    trace: NDArray[np.uint64]
    stack_bytes: int
    result: int | float | None
    arrays: tuple[NDArray[Any], ...]


class Machine:
    """A core with an image in its memory; variables keep their values from one call to the next."""

    def __init__(self, built: Built, core: Core) -> None:
        self._core, self._built = core, built
        self._uc, self._registers = start(core)
        memory = ((FLASH, FLASH_BYTES), (RAM, RAM_BYTES), (ARGUMENTS, ARGUMENTS_BYTES), (STACK, STACK_BYTES))
        for address, size in memory:
            self._uc.mem_map(address, size)
        for address, content in built.segments:
            self._uc.mem_write(address, content)
        from unicorn import UC_PROT_EXEC, UC_PROT_READ

        self._uc.mem_protect(FLASH, FLASH_BYTES, UC_PROT_READ | UC_PROT_EXEC)

    def read(self, symbol: str) -> bytes:
        """The bytes of a variable; ``MeasureError`` if the image has none of that name."""
        if symbol not in self._built.symbols:
            raise MeasureError(f"no variable {symbol} in the image")
        return bytes(self._uc.mem_read(*self._built.symbols[symbol]))

    def memory(self, address: int, size: int) -> bytes:
        return bytes(self._uc.mem_read(address, size))

    def call(self, function: str, arguments: Sequence[Argument], result: Result = None, *, traced: bool = True) -> Done:
        """Call a function. An array is copied into memory and passed by its address; numbers travel in registers.

        Without ``traced`` the trace is empty, and an endless loop never ends; it takes a tenth of the time.
        """
        places = self._pass(arguments)
        self._uc.mem_write(STACK, PAINT * (STACK_BYTES // len(PAINT)))
        trace = self._run(function, traced=traced)
        stack = np.frombuffer(self._uc.mem_read(STACK, STACK_BYTES), dtype="<u4")
        used = np.flatnonzero(stack != np.frombuffer(PAINT, dtype="<u4"))
        arrays = tuple(
            np.frombuffer(self.memory(address, given.nbytes), dtype=given.dtype).reshape(given.shape)
            for address, given in places
        )
        return Done(trace, 4 * (stack.size - int(used[0])) if used.size else 0, self._result(result), arrays)

    def _pass(self, arguments: Sequence[Argument]) -> list[tuple[int, NDArray[Any]]]:
        places: list[tuple[int, NDArray[Any]]] = []
        integers, floats = iter(self._registers.integers), iter(self._registers.floats)
        free = ARGUMENTS
        for argument in arguments:
            in_float = isinstance(argument, (float, np.floating)) and self._core.hard_float
            register = next(floats if in_float else integers, None)
            if register is None:
                raise MeasureError(f"arguments on {self._core.name} must fit into registers; got {len(arguments)}")
            if isinstance(argument, np.ndarray):
                places.append((free, argument))
                self._uc.reg_write(register, free)
                free += argument.nbytes + -argument.nbytes % 16
            else:
                self._uc.reg_write(register, _bits(argument))
        if free > ARGUMENTS + ARGUMENTS_BYTES:
            raise MeasureError(f"the arrays of a call take at most {ARGUMENTS_BYTES} bytes; got {free - ARGUMENTS}")
        for address, given in places:
            self._uc.mem_write(address, given.tobytes())
        return places

    def _run(self, function: str, *, traced: bool) -> NDArray[np.uint64]:
        from unicorn import UC_HOOK_BLOCK, UcError

        trace = array("Q")
        append, limit = trace.append, MAX_BLOCKS

        def enter(uc: Any, address: int, size: int, _: Any) -> None:
            append(address << SIZE_BITS | size)
            if len(trace) > limit:
                uc.emu_stop()

        thumb = int(self._core.family == "arm")
        self._uc.reg_write(self._registers.stack, STACK + STACK_BYTES)
        self._uc.reg_write(self._registers.back, BACK | thumb)
        hook = self._uc.hook_add(UC_HOOK_BLOCK, enter) if traced else None
        try:
            self._uc.emu_start(self._built.symbols[function][0] | thumb, BACK)
        except UcError as error:
            at = self._uc.reg_read(self._registers.program)
            raise MeasureError(f"{function} failed on {self._core.name} at {at:#x}: {error}") from None
        finally:
            if hook is not None:
                self._uc.hook_del(hook)
        if len(trace) > limit:
            raise MeasureError(f"{function} did not return within {limit} basic blocks: is there an endless loop?")
        return np.array(trace, dtype=np.uint64)

    def _result(self, kind: Result) -> int | float | None:
        if kind is None:
            return None
        in_float = kind == "float32" and self._core.hard_float
        register = (self._registers.floats if in_float else self._registers.integers)[0]
        raw = struct.pack("<I", self._uc.reg_read(register) & 0xFFFF_FFFF)
        value: int | float = struct.unpack("<f" if kind == "float32" else "<i", raw)[0]
        return value


def _bits(value: Any) -> int:
    if isinstance(value, (float, np.floating)):
        return int(np.float32(value).view(np.uint32))
    if -(2**31) <= value < 2**32:
        return int(value) & 0xFFFF_FFFF
    raise MeasureError(f"an integer argument has 32 bits; got {value}")
