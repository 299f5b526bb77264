"""The acquisition format of Edge Impulse, in JSON and in CBOR: one recording with its sensors and its interval.

https://docs.edgeimpulse.com/tools/specifications/data-acquisition/json-cbor
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.signals.recordings.raw_recording import RawRecording
from neuraltree.signals.recordings.reading_options import ReadingOptions

INSTALL = "pip install 'neuraltree[signals]'"
NO_SUCH = "this is not a recording in Edge Impulse's acquisition format"
# The fields that must be there, and what they are.
HEAD: tuple[tuple[str, type, str], ...] = (
    ("protected", dict, "an object"),
    ("signature", str, "a text"),
    ("payload", dict, "an object"),
)


def read_json(file: str, content: bytes, options: ReadingOptions) -> list[RawRecording]:
    """``ValueError`` unless it is JSON of this format."""
    del options  # the format says all that they could say
    return [_recording(file, json.loads(content.decode()))]


def read_cbor(file: str, content: bytes, options: ReadingOptions) -> list[RawRecording]:
    """``ValueError`` unless it is CBOR of this format. Bytes after the recording are padding, which devices write."""
    del options
    try:
        import cbor2
    except ImportError:
        raise ValueError(f"{file}: reading CBOR needs cbor2; {INSTALL}") from None
    return [_recording(file, cbor2.load(io.BytesIO(content)))]


def _recording(file: str, stored: Any) -> RawRecording:
    head = _object(stored, "the file")
    for name, kind, what in HEAD:
        if not isinstance(head.get(name), kind):
            raise ValueError(f"{name!r} is {_shown(head.get(name))}, and must be {what}; {NO_SUCH}")
    payload = head["payload"]
    sensors = payload.get("sensors")
    if not isinstance(sensors, list) or not sensors:
        raise ValueError(f"'sensors' is {_shown(sensors)}, and must be a list of channels; {NO_SUCH}")
    named = [_object(one, "a sensor") for one in sensors]
    names, units = (tuple(_text(one, key) for one in named) for key in ("name", "units"))
    samples = _samples(payload.get("values"), len(names))
    return RawRecording(file, "", samples, names, units, _rate(payload.get("interval_ms")))


def _object(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} holds {_shown(value)}, and must hold an object; {NO_SUCH}")
    return value


def _text(sensor: Mapping[str, Any], key: str) -> str:
    value = sensor.get(key, "" if key == "units" else None)
    if not isinstance(value, str):
        raise ValueError(f"the {key!r} of a sensor is {_shown(value)}, and must be a text; {NO_SUCH}")
    return value.strip()


def _rate(interval_ms: Any) -> float:
    """In Hz; 0 for an interval of 0, which stands for events without a rate."""
    is_number = isinstance(interval_ms, int | float) and not isinstance(interval_ms, bool)
    if not is_number or not 0 <= interval_ms < math.inf:
        raise ValueError(f"'interval_ms' is {_shown(interval_ms)}, and must be a number of ms")
    return 1000 / interval_ms if interval_ms else 0.0


def _samples(values: Any, channels: int) -> FloatArray:
    """(samples, channels); a channel on its own may be a plain list. null is a missing value."""
    if not isinstance(values, list) or not values:
        raise ValueError(f"'values' is {_shown(values)}, and must be a list of samples")
    rows = [row if isinstance(row, list) else [row] for row in values]
    for i, row in enumerate(rows):
        if len(row) != channels:
            raise ValueError(f"sample {i + 1} has {len(row)} values, and there are {channels} sensors")
        if any(isinstance(value, bool) or not isinstance(value, int | float | None) for value in row):
            raise ValueError(f"sample {i + 1} holds {_shown(row)}, and must hold numbers")
    return np.array(rows, dtype=np.float64)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
