"""The table of devices that ``--list`` prints."""

from __future__ import annotations

from rich.table import Table

from neuraltree.hardware.profile.devices import CycleDevice, Device, UnsupportedDevice
from neuraltree.hardware.profile.load import certainties, load_device
from neuraltree.hardware.profile.places import device_names
from neuraltree.hardware.profile.profile_schema import Capacity

COLUMNS = ("device", "title", "kind", "core", "clock", "wait states", "flash", "SRAM", "code", "certainty")
CAPTION = "wait states: factor on cycles; certainty: of the least certain figure behind the costs"
WORDS = {"M": "measured", "D": "vendor's", "S": "secondary", "E": "estimated", "U": "uncertain"}


def device_table() -> Table:
    """A table with one row per device of the package."""
    table = Table(*COLUMNS, caption=CAPTION)
    for row in device_rows():
        table.add_row(*row)
    return table


def device_rows() -> list[list[str]]:
    """The cells of the table, one row per device."""
    devices = [load_device(name) for name in device_names()]
    return [[device.name, device.title, device.kind, device.core, *_figures(device)] for device in devices]


def _figures(device: Device) -> list[str]:
    if isinstance(device, UnsupportedDevice):
        return ["", "", "", "", "unsupported", ""]
    clock = f"{device.clock.value:g} MHz" if isinstance(device, CycleDevice) else ""
    sizes = [_size(device.flash_bytes), _size(device.sram_bytes)]
    precisions = ", ".join(sorted({precision for precision, *_ in device.rows}))
    return [clock, _wait_states(device), *sizes, precisions, WORDS[certainties(device)[-1]]]


def _wait_states(device: Device) -> str:
    """Empty for a generic core, which has no memory of its own, and for a processor, whose formula has it."""
    if not isinstance(device, CycleDevice) or device.kind != "board":
        return ""
    if device.wait_states is None:
        return "unknown"
    ends = sorted({device.board_cycles("lo"), device.board_cycles("hi")})
    return " to ".join(f"{end:g}" for end in ends)


def _size(capacity: Capacity | None) -> str:
    return f"{capacity.value / 1024:g} KiB" if capacity else ""
