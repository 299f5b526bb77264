"""A sketch that replays a short recording on an Arduino board and counts the right decisions."""

from __future__ import annotations

from neuraltree.export.names import MARK
from neuraltree.export.signals.packages.signal_example import Streaming, example

SKETCH = f"""// Checks the model @NAME@ on this board. {MARK}; do not edit.
#include <@NAME@.h>
#include "@NAME@_vectors.h"

static @NAME@_state state;

static int stored(const int16_t *numbers, int place)
{{
    return NT_READ(word, int16_t, numbers + place);
}}

static bool is_right(int row, int event)
{{
    for (int i = 0; i < @UPPER@_FEATURES; ++i) {{
        if (@NAME@_features(&state)[i] != stored(nt_features, row * @UPPER@_FEATURES + i)) {{
            return false;
        }}
    }}
@CHECK@
}}

void setup()
{{
    const long samples = sizeof nt_samples / sizeof *nt_samples / @UPPER@_CHANNELS;
    int rows = 0, right = 0;
    Serial.begin(115200);
    @NAME@_reset(&state);
    for (long i = 0; i < samples; ++i) {{
        int16_t sample[@UPPER@_CHANNELS];
        memcpy_P(sample, nt_samples + i * @UPPER@_CHANNELS, sizeof sample);
        const int event = @NAME@_push(&state, sample);
        if (@NAME@_decided(&state)) {{
            right += is_right(rows++, event);
        }}
    }}
    Serial.print(right);
    Serial.print(F(" of "));
    Serial.print(rows);
    Serial.println(F(" decisions are right"));
}}

void loop()
{{
}}
"""
EXACT = """    for (int k = 0; k < @UPPER@_CLASSES; ++k) {
        if (@NAME@_scores(&state)[k] != stored(nt_scores, row * @UPPER@_CLASSES + k)) {
            return false;
        }
    }
    return @NAME@_class(&state) == stored(nt_classes, row) && event == stored(nt_events, row);"""
NEAR = """    for (int k = 0; k < @UPPER@_CLASSES; ++k) {
        const int place = row * @UPPER@_CLASSES + k;
        const long off = (long)@NAME@_scores(&state)[k] - stored(nt_scores, place);
        if (off > stored(nt_tolerance, place) || -off > stored(nt_tolerance, place)) {
            return false;
        }
    }
    (void)event; // floats may be rounded apart, and events with them
    return true;"""
VALUE = """    const float off = @NAME@_value(&state) - NT_READ(float, float, nt_values + row);
    const float tolerance = NT_READ(float, float, nt_tolerance + row);
    return event == @UPPER@_DECIDED && off <= tolerance && -off <= tolerance;"""


def self_test_sketch(made: Streaming, is_integer: bool) -> str:
    """``is_integer``: whether the tree's code has no floats, so that all is exact."""
    check = VALUE if made.model.tree.classes is None else EXACT if is_integer else NEAR
    return example(SKETCH, made, CHECK=example(check, made))
