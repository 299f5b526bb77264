"""The tables of features of windows, and of filters before them."""

from __future__ import annotations

import re

from neuraltree.cli.markdown import code, table
from neuraltree.signals.features.feature import Feature
from neuraltree.signals.features.feature_table import FEATURES
from neuraltree.signals.filters.filter import Filter
from neuraltree.signals.filters.filter_table import FILTERS
from neuraltree.signals.parts.part import Part
from neuraltree.signals.parts.part_table import PARTS
from neuraltree.signals.sample_integers import LEAST_SAMPLES, MOST_SAMPLES

BYTES = {"int16_t": 2, "int32_t": 4, "uint32_t": 4, "int64_t": 8}
EXAMPLE_SAMPLES = 128
EXAMPLE_RATE_HZ = 50.0
ABOUT_FEATURES = (
    "`accx.sd@128` is the standard deviation of the last 128 samples of the channel `accx`; "
    "`acc.norm.delta.mean_abs@64` is of the magnitude of all axes of `acc` after a filter, and "
    "`accx~accy.correlation@128` is of two channels. A parameter follows a colon: `accx.low:5000.percentile:90@128`.",
    "All arithmetic is on integers of 16 bits, the same in Python and in C. A feature is its value times its scale, "
    f"held within ±32767; fractions are cut off. Windows have {LEAST_SAMPLES} to {MOST_SAMPLES} samples.",
    f"Parameters are for windows of {EXAMPLE_SAMPLES} samples. RAM: a feature of blocks needs so many bytes for each "
    "hop of the window, those of its parts, which other features of the same stream and window share; any other also "
    "the window, 2 bytes for each sample, and where stated bytes on the stack.",
)


def features() -> list[str]:
    rows = [
        (code(one.name), one.meaning, _scale(one.scale), _bounds(one.allowed(EXAMPLE_SAMPLES)), _ram(one))
        for one in FEATURES.values()
    ]
    return [*ABOUT_FEATURES, table(("name", "what it is", "scale", "parameter", "RAM"), rows)]


def filters() -> list[str]:
    rows = [
        (code(one.name), one.meaning, _bounds(one.allowed(EXAMPLE_RATE_HZ)), _state(one)) for one in FILTERS.values()
    ]
    return [
        f"Filters stand between the channel and the feature, several one after another. Parameters are for "
        f"{EXAMPLE_RATE_HZ:g} Hz.",
        table(("name", "what it is", "parameter", "RAM of a stream"), rows),
    ]


def _scale(scale: float) -> str:
    return f"{scale:g}"


def _bounds(bounds: tuple[int, int]) -> str:
    return f"{bounds[0]} to {bounds[1]}" if bounds[1] else ""


def _ram(feature: Feature) -> str:
    parts = [PARTS[name.rpartition(".")[2]] for name in feature.reads]
    parts += [PARTS[name] for part in parts for name in part.needs]
    blocks, stack = sum(BYTES[part.c_type] for part in parts if part.block), sum(map(_stack, parts))
    found = [] if all(part.block for part in parts) else ["window"]
    found += [f"{blocks} B a hop"] * (blocks > 0) + [f"{stack} B on the stack"] * (stack > 0)
    return ", ".join(found)


def _stack(part: Part) -> int:
    count = part.values(EXAMPLE_SAMPLES)
    return count * BYTES[part.c_type] if part.c and count > 1 else 0


def _state(one: Filter) -> str:
    fields = (re.fullmatch(r"(\w+) (.*);", field) for field in one.state)
    return f"{sum(BYTES[found[1]] * len(found[2].split(',')) for found in fields if found)} B"
