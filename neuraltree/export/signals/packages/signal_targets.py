"""What a model that is fed samples is exported as, by the name of the target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from neuraltree.export.signals.one_class_library import export_one_class
from neuraltree.export.signals.packages.signal_boards import export_signal_arduino, export_signal_platformio
from neuraltree.export.signals.packages.signal_zephyr import export_signal_zephyr
from neuraltree.export.signals.signal_library import export_signal
from neuraltree.signals.one_class import OneClassModel
from neuraltree.signals.signal_model import SignalModel


class SignalTarget(NamedTuple):
    """``make(model, name, precision=..., style=...)``: the texts of the files by file name. ``then``: the next step for
    the user, with the places {folder} {name}."""

    make: Callable[..., dict[str, str]]
    then: str


def _c(model: SignalModel | OneClassModel, name: str, **options: Any) -> dict[str, str]:
    """Of a model with a tree or without; code without a tree has no ``options``."""
    if isinstance(model, OneClassModel):
        return export_one_class(model, name)
    return export_signal(model, name, **options)


# The names are those of the targets of ``export.targets`` for trees.
SIGNAL_TARGETS: Mapping[str, SignalTarget] = MappingProxyType(
    {
        "c": SignalTarget(
            _c,
            "check it: cd {folder} && cc -std=c99 -I. {name}*.c test/{name}_test.c -o check && ./check",
        ),
        "arduino": SignalTarget(
            export_signal_arduino,
            "to use it: copy {folder} into the libraries folder of your sketchbook; see File > Examples > {name}",
        ),
        "platformio": SignalTarget(
            export_signal_platformio, "to build the example: cd {folder}/examples/stream && pio run"
        ),
        "zephyr": SignalTarget(
            export_signal_zephyr, "to build the sample: west build -b BOARD {folder}/samples/stream"
        ),
    }
)
