"""Classes of devices: with counted cycles, with a latency formula, and without support for trees."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Annotated, Literal, NamedTuple, NoReturn, get_args

from msgspec import Meta, Struct

from neuraltree.compress.builds import BUILDS, BuildName
from neuraltree.compress.formats import NARROW, Precision, Style
from neuraltree.hardware.profile.profile_schema import (
    Arithmetic,
    Bandwidth,
    Bound,
    ByteEnergy,
    Bytes,
    Capacity,
    Clock,
    Energy,
    Entry,
    Power,
    Seconds,
    Text,
    WaitStates,
)

CodeKey = tuple[str, str, str]  # precision, style, compiler


class Code(NamedTuple):
    """The code that is built from a model."""

    precision: str
    style: str
    compiler: str


class Device(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all devices have. ``core``: the generic core for which code is built and emulated, or the name of a
    processor's cores."""

    name: Text
    title: Text
    kind: Literal["core", "board", "processor"]
    core: Text
    flash_bytes: Capacity | None = None
    sram_bytes: Capacity | None = None

    @property
    def rows(self) -> list[CodeKey]:
        """The precisions, styles and compilers for which the device has figures."""
        return []

    def build(self, compiler: str) -> str:
        """The build that stands for the one that is asked for; another one only where its compiler has no row."""
        return compiler

    def check(self, precision: str, style: str, compiler: str = "clang") -> None:
        """``ValueError`` if no row has this precision, style and compiler; it names the rows of the device."""
        compiler = self.build(compiler)
        if not any(row in self.rows for row in ((precision, style, compiler), (precision, style, "any"))):
            self._refuse(f"{precision} {style} by {compiler}", (" ".join(row) for row in self.rows))

    def has(self, precision: str, style: str, compiler: str = "clang") -> bool:
        """Whether it has figures for the code."""
        with suppress(ValueError):
            self.check(precision, style, compiler)
            return True
        return False

    def _refuse(self, wanted: str, rows: Iterable[str]) -> NoReturn:
        raise ValueError(f"device {self.name} has no figures for {wanted}; it has: {', '.join(rows)}")


class CycleDevice(Device, frozen=True):
    """A device whose cycles are linear in a tree's counts.

    ``wait_states``: what the board's memory adds to the cycles of its entries; nothing if it is left out.
    """

    clock: Clock
    energy: Energy
    entries: Annotated[tuple[Entry, ...], Meta(min_length=1)]
    wait_states: WaitStates | None = None
    training_stack: Bytes | None = None  # of one training step
    usual_build: BuildName | None = None  # what a compiler means that does not build for this core at all

    def __post_init__(self) -> None:
        if len(set(self.rows)) < len(self.rows):
            raise ValueError("entries has two rows with the same precision, style and compiler")

    @property
    def rows(self) -> list[CodeKey]:
        return [(row.precision, row.style, row.compiler) for row in self.entries]

    def board_cycles(self, bound: Bound) -> float:
        """The board's cycles for each cycle of its core without wait states."""
        return 1.0 if self.wait_states is None else self.wait_states.value.at(bound)

    def seconds(self, cycles: float, bound: Bound) -> float:
        """The time that the board needs for ``cycles`` of its core without wait states."""
        return cycles * self.board_cycles(bound) / (self.clock.value * 1e6)

    def build(self, compiler: str) -> str:
        there = {BUILDS[name].compiler for *_, name in self.rows if name in BUILDS}
        foreign = compiler in BUILDS and BUILDS[compiler].compiler not in there
        return self.usual_build if foreign and self.usual_build else compiler

    def check(self, precision: str, style: str, compiler: str = "clang") -> None:
        """``ValueError`` if there are no figures; it names those that there are."""
        super().check("int8" if precision in NARROW else precision, style, compiler)
        if precision in NARROW and self.entry("int8", style, compiler).narrow is None:
            known = [f"{row.style} by {row.compiler}" for row in self.entries if row.narrow is not None]
            has = f"it has them for {', '.join(known)}" if known else "it has none of them: take int8"
            raise ValueError(
                f"device {self.name} has no figures for formats below 8 bits, as {precision}, in {style} by "
                f"{self.build(compiler)}; {has}"
            )

    def entry(self, precision: str, style: str, compiler: str = "clang") -> Entry:
        """The entry of a precision, style and compiler; ``ValueError`` names the rows of the device.

        Formats of fewer than 8 bits have that of int8, which says what they change.
        """
        compiler = self.build(compiler)
        self.check(precision, style, compiler)
        precision = "int8" if precision in NARROW else precision
        wanted = (precision, style, compiler)
        return self.entries[self.rows.index(wanted if wanted in self.rows else (precision, style, "any"))]


class FormulaDevice(Device, frozen=True):
    """A device whose latency follows from computation and data movement; see ``latency_formula``."""

    arithmetic: Annotated[dict[Precision, Arithmetic], Meta(min_length=1)]
    bandwidth: Bandwidth
    overhead: Seconds
    byte_energy: ByteEnergy
    power: Power | None = None  # drawn during the whole prediction, regardless of the operations

    @property
    def rows(self) -> list[CodeKey]:
        return [(precision, style, "any") for precision in self.arithmetic for style in get_args(Style)]


class UnsupportedDevice(Device, frozen=True):
    """A device that runs no tree; ``unsupported`` says why."""

    unsupported: Text

    def check(self, precision: str, style: str, compiler: str = "clang") -> None:
        raise ValueError(f"device {self.name} is not supported: {self.unsupported}")


# The first of these keys that a profile has decides its class.
CLASSES: dict[str, type[Device]] = {
    "unsupported": UnsupportedDevice,
    "arithmetic": FormulaDevice,
    "entries": CycleDevice,
}
