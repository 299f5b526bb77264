"""Streaming C as libraries for Arduino and for PlatformIO, with a sketch that feeds samples."""

from __future__ import annotations

from neuraltree.compress.formats import c_format
from neuraltree.export.packages.arduino import check_library_name, keywords, properties
from neuraltree.export.packages.platformio import PROJECT, manifest
from neuraltree.export.signals.packages.signal_check import self_test_sketch
from neuraltree.export.signals.packages.signal_example import Streaming, event_rows, example, streaming
from neuraltree.signals.signal_model import SignalModel

SKETCH = """@HEAD@
@INCLUDES@

static @NAME@_state state;

// Put a reading in place of each number, in the integers of the recordings that the model learned from.
static void read_sample(int16_t *sample)
{
@FILL@
}

void setup()
{
    Serial.begin(115200);
    @NAME@_reset(&state);
}

void loop()
{
    static uint32_t next = micros();
    int16_t sample[@UPPER@_CHANNELS];
    if ((int32_t)(micros() - next) < 0) {
        return;
    }
    next += @PERIOD@; // microseconds
    read_sample(sample);
@PRINT@
}
"""
SWITCH = """    switch (@NAME@_push(&state, sample)) {
@CASES@
    }"""
CASE = """    case {place}:
        Serial.println(F({text}));
        break;"""
VALUE = """    if (@NAME@_push(&state, sample) == @UPPER@_DECIDED) {
        Serial.println(@NAME@_value(&state), 6);
    }"""


def export_signal_arduino(
    model: SignalModel, name: str = "model", *, precision: str = "float32", style: str = "straight"
) -> dict[str, str]:
    """The texts of the files by file name; the options are those of ``export_signal``."""
    check_library_name(name)
    made = streaming(model, name, precision, style)
    return {
        **_sources(made),
        "library.properties": properties(name, made.text),
        "keywords.txt": keywords(name, made.header, [f"{name}_state"]),
        "README.md": README.replace("@NAME@", name).replace("@TEXT@", made.text),
        "examples/Stream/Stream.ino": _sketch(made, f"#include <{name}.h>"),
        "examples/SelfTest/SelfTest.ino": self_test_sketch(made, c_format(precision).is_integer),
        f"examples/SelfTest/{name}_vectors.h": made.vectors,
    }


def export_signal_platformio(
    model: SignalModel, name: str = "model", *, precision: str = "float32", style: str = "straight"
) -> dict[str, str]:
    """The texts of the files by file name; the options are those of ``export_signal``."""
    made = streaming(model, name, precision, style)
    return {
        **_sources(made),
        "library.json": manifest(name, made.text, "stream"),
        "examples/stream/platformio.ini": example(PROJECT, made),
        "examples/stream/src/main.cpp": _sketch(made, f"#include <Arduino.h>\n#include <{name}.h>"),
    }


def _sources(made: Streaming) -> dict[str, str]:
    return {f"src/{file}": text for file, text in (made.headers | made.sources).items()}


def _sketch(made: Streaming, includes: str) -> str:
    cases = "\n".join(CASE.format(place=place, text=text) for place, text in event_rows(made))
    shown = example(SWITCH if cases else VALUE, made, CASES=cases)
    return example(SKETCH, made, INCLUDES=includes, PRINT=shown)


README = """# @NAME@

A neural tree, @TEXT@, exported by neuraltree.

Copy this folder into the `libraries` folder of your sketchbook and restart the IDE. Two examples then stand under
File > Examples > @NAME@: `Stream` feeds samples at the right rate and prints events; put readings in place of its
numbers. `SelfTest` compares the model with Python on this board. `src/@NAME@.h` says what the functions do, and in
which integers samples are.

Before you publish the library, put your own address into `url` in `library.properties`, and add a licence.
"""
