"""What a model that is fed samples is exported as, by the name of the target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from neuraltree.export.signals.packages.signal_boards import export_signal_arduino, export_signal_platformio
from neuraltree.export.signals.packages.signal_zephyr import export_signal_zephyr
from neuraltree.export.signals.signal_library import export_signal

# Each is called as (model, name, precision=..., style=...) and gives the texts of the files by file name. The names are
# those of the targets of ``export.targets`` for trees.
SIGNAL_TARGETS: Mapping[str, Callable[..., dict[str, str]]] = MappingProxyType(
    {
        "c": export_signal,
        "arduino": export_signal_arduino,
        "platformio": export_signal_platformio,
        "zephyr": export_signal_zephyr,
    }
)
