"""The places of profiles: those of the package are found by name or alias, a user's by path."""

from __future__ import annotations

import os
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

Raw = dict[str, Any]
SUFFIX = ".toml"

# Other names of the devices; the name itself is the file's name without the ending.
ALIASES = {
    "cortex-m0+": "cortex-m0plus", "m0+": "cortex-m0plus", "m0plus": "cortex-m0plus", "m3": "cortex-m3",
    "m4f": "cortex-m4f", "m7": "cortex-m7", "m33": "cortex-m33", "rv32": "rv32imc", "risc-v": "rv32imc",
    "lx6": "xtensa-lx6", "lx7": "xtensa-lx7", "x86": "desktop", "x86-64": "desktop",
    "arduino-uno": "atmega328p", "uno": "atmega328p", "pico": "rp2040", "raspberry-pi-pico": "rp2040",
    "esp32s3": "esp32-s3", "esp32c3": "esp32-c3", "raspberry-pi-zero-2w": "rpi-zero-2w",
    "raspberry-pi-4": "rpi-4", "rpi4": "rpi-4", "raspberry-pi-5": "rpi-5", "rpi5": "rpi-5",
    "edgetpu": "coral-edgetpu", "edge-tpu": "coral-edgetpu", "coral": "coral-edgetpu",
}  # fmt: skip


class ProfileError(ValueError):
    """A device profile is missing or wrong; the message names the profile and the place in it."""


class Place(NamedTuple):
    """A profile file; it belongs to the package if ``folder`` is None."""

    name: str
    folder: Path | None = None

    @property
    def label(self) -> str:
        """The name that messages use."""
        return self.name if self.folder is None else str(self.folder / f"{self.name}{SUFFIX}")

    def read(self) -> Raw:
        """The tables of the file, unchecked."""
        return _packaged(self.name) if self.folder is None else _read(Path(self.label))


def device_names() -> list[str]:
    """The devices that come with the package, without aliases."""
    folder = files("neuraltree.hardware.profile") / "data"
    return sorted(item.name.removesuffix(SUFFIX) for item in folder.iterdir() if item.name.endswith(SUFFIX))


def find(wanted: str, beside: Path | None = None) -> Place:
    """The place of a name, an alias, or a path ending in ``.toml``; a relative path starts in folder ``beside``."""
    if wanted.endswith(SUFFIX):
        path = Path(os.path.normpath((beside or Path()) / wanted))  # so that a circle of profiles is recognised
        return Place(path.name.removesuffix(SUFFIX), path.parent)
    plain = wanted.lower().replace("_", "-")
    name = ALIASES.get(plain, plain)
    if name not in device_names():
        raise ProfileError(
            f"unknown device {wanted!r}; allowed: {', '.join(device_names())}, or a file ending in {SUFFIX}"
        )
    return Place(name)


@cache
def _packaged(name: str) -> Raw:
    return tomllib.loads((files("neuraltree.hardware.profile") / "data" / f"{name}{SUFFIX}").read_text("utf-8"))


def _read(path: Path) -> Raw:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ProfileError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ProfileError(f"{path}: {error}") from None
