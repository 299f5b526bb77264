"""Loading of devices by name or from a file; each has one TOML file, which may extend another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import msgspec

from neuraltree.hardware.profile.devices import CLASSES, CycleDevice, Device
from neuraltree.hardware.profile.inherit import resolve
from neuraltree.hardware.profile.known_keys import check_known
from neuraltree.hardware.profile.places import ProfileError, find
from neuraltree.hardware.profile.profile_schema import Certainty
from neuraltree.structs import to_struct

CERTAINTIES: tuple[Certainty, ...] = ("M", "D", "S", "E", "U")  # from the best to the worst


def load_device(name_or_path: str | os.PathLike[str]) -> Device:
    """A device by name, by alias, or from a profile file whose name ends in ``.toml``."""
    place = find(os.fspath(name_or_path))
    raw = resolve(place)
    given = [made for key, made in CLASSES.items() if key in raw]
    try:
        check_known(raw, [*given, CycleDevice][0], also=("extends", "scaled_from"))
        if not given:
            raise ProfileError("it has no entries, and the devices that it extends or scales give it none")
        return to_struct(raw, given[0])
    except ValueError as error:
        raise ProfileError(f"{place.label}: {error}") from None


def certainties(device: Device) -> list[Certainty]:
    """All certainties that occur in a profile, from the best to the worst."""
    found = set(_stated(msgspec.to_builtins(device)))
    return [each for each in CERTAINTIES if each in found]


def _stated(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and value.get("certainty"):
        yield value["certainty"]
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    for item in below:
        yield from _stated(item)
