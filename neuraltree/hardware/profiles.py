"""Device profiles: one TOML file per device, in which every number has a unit, a source and a certainty."""

from __future__ import annotations

import os
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from neuraltree.activations import NAMES

# M: measured on an emulated core or on silicon, or published as such. D: the vendor's document. S: a secondary
# source. E: derived or estimated. U: uncertain, to be checked before it is relied on.
Certainty = Literal["M", "D", "S", "E", "U"]
Bound = Literal["lo", "mid", "hi"]
Text = Annotated[str, Meta(min_length=1)]
Positive = Annotated[float, Meta(gt=0, le=1e12)]
NonNegative = Annotated[float, Meta(ge=0, le=1e12)]  # the upper end refuses inf

# Other names of the devices; a name without the dash is its file's.
ALIASES = {"cortex-m0+": "cortex-m0plus", "m0+": "cortex-m0plus", "m4f": "cortex-m4f", "x86": "desktop"}


class ProfileError(ValueError):
    """A device profile is missing or wrong; the message says which, and where in it."""


class Figure(Struct, frozen=True, forbid_unknown_fields=True):
    """A number with its range; ``hi`` is left out where there is one value.

    ``certainty`` and ``source`` are given where they differ from those of the block the figure stands in.
    The ends may belong to two fits: a single ``lo`` can then lie above its ``hi``, though no whole tree's cost does.
    """

    lo: NonNegative
    hi: NonNegative | None = None
    certainty: Certainty | None = None
    source: Text | None = None

    def at(self, bound: Bound) -> float:
        """The value at one end of the range or in its middle."""
        hi = self.lo if self.hi is None else self.hi
        return {"lo": self.lo, "mid": (self.lo + hi) / 2, "hi": hi}[bound]


class Block(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the numbers of a block come from, unless one of them says otherwise."""

    certainty: Certainty
    source: Text


class Clock(Block, frozen=True):
    unit: Literal["MHz"]
    value: Positive


class Energy(Block, frozen=True):
    """Energy of one active cycle, of the whole board."""

    unit: Literal["pJ/cycle"]
    value: Figure


class Terms(Block, frozen=True):
    """A cost that is linear in a tree's counts; ``node`` is a function node, outputs included."""

    const: Figure
    node: Figure
    leaf_edge: Figure
    node_edge: Figure
    kinds: dict[str, Figure]

    def __post_init__(self) -> None:
        for wrong, text in ((set(NAMES) - set(self.kinds), "lacks"), (set(self.kinds) - set(NAMES), "does not know")):
            if wrong:
                raise ValueError(f"kinds {text} {', '.join(sorted(wrong))}; it gives one figure for each of {NAMES}")


class Cycles(Terms, frozen=True):
    """``kinds``: cycles of each function node with that activation."""

    unit: Literal["cycle"]


class Flash(Terms, frozen=True):
    """``kinds``: bytes once per tree that uses the activation, for its code or table."""

    unit: Literal["B"]


class Ram(Block, frozen=True):
    """Static memory and stack; the input vector is the caller's and not in it."""

    unit: Literal["B"]
    const: Figure
    live_value: Figure


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """What one precision and code style costs, as one compiler builds it."""

    precision: Literal["float32", "int8"]
    style: Literal["straight", "table"]
    compiler: Text
    cycles: Cycles
    flash: Flash
    ram: Ram


class Device(Struct, frozen=True, forbid_unknown_fields=True):
    """A device: clock, energy, and an entry for each precision and style it can run."""

    name: Text
    title: Text
    clock: Clock
    energy: Energy
    entries: Annotated[list[Entry], Meta(min_length=1)]

    def __post_init__(self) -> None:
        rows = [(row.precision, row.style) for row in self.entries]
        if len(set(rows)) < len(rows):
            raise ValueError("entries has two rows with the same precision and style")

    def entry(self, precision: str, style: str) -> Entry:
        """The row of a precision and style; ``ValueError`` names the rows there are."""
        for row in self.entries:
            if (row.precision, row.style) == (precision, style):
                return row
        rows = ", ".join(f"{row.precision} {row.style}" for row in self.entries)
        raise ValueError(f"device {self.name} has no figures for {precision} {style}; it has: {rows}")


def device_names() -> list[str]:
    """The devices that come with the package, without aliases."""
    folder = files("neuraltree.hardware") / "profiles"
    return sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml"))


def load_device(name_or_path: str | os.PathLike[str]) -> Device:
    """A device by name, by alias, or from a profile file whose name ends in ``.toml``."""
    wanted = os.fspath(name_or_path)
    if wanted.endswith(".toml"):
        return _read(Path(wanted))
    name = ALIASES.get(wanted, wanted)
    if name not in device_names():
        raise ValueError(f"unknown device {wanted!r}; allowed: {', '.join(device_names())}, or a file ending in .toml")
    return _parse((files("neuraltree.hardware") / "profiles" / f"{name}.toml").read_text("utf-8"))


def _read(path: Path) -> Device:
    try:
        return _parse(path.read_text("utf-8"))
    except OSError as error:
        raise ProfileError(f"{path}: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ProfileError(f"{path}: {error}") from None


def _parse(text: str) -> Device:
    return msgspec.convert(tomllib.loads(text), Device)
