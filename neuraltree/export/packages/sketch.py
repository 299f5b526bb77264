"""Sketches for Arduino boards: one that predicts, and one that checks the model on the board."""

from __future__ import annotations

from neuraltree.export.names import MARK
from neuraltree.export.packages.example import HEAD, Model, class_rows, fill, written

SKETCH = f"""{HEAD}
@INCLUDES@

@INPUTS@

// Put a reading in place of each number, in the unit of the data that the model learned from.
static void read_inputs()
{{
@FILL@
}}

void setup()
{{
    Serial.begin(115200);
}}

void loop()
{{
    read_inputs();
@PRINT@
    delay(1000);
}}
"""
SWITCH = """    switch ({name}_predict({x})) {{
{cases}
    }}"""
VALUE = "    Serial.println({name}_predict({x}), 6);"

SELF_TEST = f"""// Checks the model @NAME@ on this board. {MARK}; do not edit.
@INCLUDES@
#include "@NAME@_vectors.h"

@INPUTS@

static bool is_right(int i)
{{
    memcpy_P(&x, nt_inputs + i, sizeof x);
    const @TYPE@ wanted = NT_READ(@READ@, nt_expected + i);
    const @TYPE@ tolerance = NT_READ(@READ@, nt_tolerance + i);
    const @TYPE@ off = @NAME@_predict(@X@) - wanted;
    return @CHECK@off <= tolerance && -off <= tolerance;
}}

void setup()
{{
    const int rows = sizeof nt_expected / sizeof *nt_expected;
    int right = 0;
    Serial.begin(115200);
    for (int i = 0; i < rows; ++i) {{
        right += is_right(i);
    }}
    Serial.print(right);
    Serial.print(F(" of "));
    Serial.print(rows);
    Serial.println(F(" vectors are right"));
}}

void loop()
{{
}}
"""
CHECK = "{name}_check({x}) == NT_READ(word, int16_t, nt_checked + i) && "


def sketch(model: Model, includes: str) -> str:
    """A sketch that fills the inputs, predicts once a second and prints the class by name, or the value."""
    cases = "\n".join(
        f"    case {place}:\n        Serial.println(F({text}));\n        break;" for place, text in class_rows(model)
    )
    shown = (SWITCH if cases else VALUE).format(name=model.name, cases=cases, x=model.x)
    return written(SKETCH, model, INCLUDES=includes, FILL=fill(model), PRINT=shown)


def self_test_sketch(model: Model, includes: str) -> str:
    """A sketch that prints how many vectors of ``NAME_vectors.h`` give the right result."""
    kind, read = ("float", "float, float") if model.tree.classes is None else ("int16_t", "word, int16_t")
    check = "" if model.tree.columns is None else CHECK.format(name=model.name, x=model.x)
    return written(SELF_TEST, model, INCLUDES=includes, TYPE=kind, READ=read, CHECK=check)
