"""The table of devices that ``--list`` prints."""

from __future__ import annotations

from rich.table import Table

from neuraltree.hardware.devices import CycleDevice, Device, UnsupportedDevice
from neuraltree.hardware.places import device_names
from neuraltree.hardware.profiles import certainties, load_device
from neuraltree.hardware.schema import Capacity

COLUMNS = ("device", "title", "kind", "core", "clock", "flash", "SRAM", "figures for", "worst")
CAPTION = "worst: M measured, D vendor's document, S secondary, E estimated, U uncertain"


def device_table() -> Table:
    """One row a device of the package; ``worst`` is the least certain of all figures behind its costs."""
    table = Table(*COLUMNS, caption=CAPTION)
    for row in device_rows():
        table.add_row(*row)
    return table


def device_rows() -> list[list[str]]:
    """The cells of the table, a row a device."""
    devices = [load_device(name) for name in device_names()]
    return [[device.name, device.title, device.kind, device.core, *_figures(device)] for device in devices]


def _figures(device: Device) -> list[str]:
    if isinstance(device, UnsupportedDevice):
        return ["", "", "", "unsupported", ""]
    clock = f"{device.clock.value:g} MHz" if isinstance(device, CycleDevice) else ""
    sizes = [_size(device.flash_bytes), _size(device.sram_bytes)]
    return [clock, *sizes, _rows(device), certainties(device)[-1]]


def _size(capacity: Capacity | None) -> str:
    return f"{capacity.value / 1024:g} KiB" if capacity else ""


def _rows(device: Device) -> str:
    """A line for each precision and the compilers of its styles."""
    compilers: dict[tuple[str, str], list[str]] = {}
    for precision, style, compiler in sorted(device.rows):
        compilers.setdefault((precision, style), []).append(compiler)
    styles: dict[tuple[str, str], list[str]] = {}
    for (precision, style), each in compilers.items():
        styles.setdefault((precision, " or ".join(each)), []).append(style)
    return "\n".join(f"{precision} {', '.join(each)} by {by}" for (precision, by), each in styles.items())
