"""Sketches for Arduino boards: one that predicts, and one that checks the model on the board."""

from __future__ import annotations

from numpy.typing import NDArray

from neuraltree.compress.int8.integer_tree import quantize_tree
from neuraltree.export.c.argument import sources_of
from neuraltree.export.c.integer_vectors import initialiser
from neuraltree.export.c.parts import literal
from neuraltree.export.c.self_test import expected, vectors
from neuraltree.export.names import MARK
from neuraltree.export.needed import reads
from neuraltree.export.packages.example import HEAD, Model, class_rows, fill, written

MOST_BYTES = 4096  # of the vectors in a sketch: a board has 32 KB, and no table of an AVR may pass 32 KB

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
#include "vectors.h"

@INPUTS@

static bool is_right(int i)
{{
    @TYPE@ wanted, tolerance;
    memcpy_P(&x, &nt_inputs[i], sizeof x);
    memcpy_P(&wanted, &nt_expected[i], sizeof wanted);
    memcpy_P(&tolerance, &nt_tolerance[i], sizeof tolerance);
    const @TYPE@ off = @NAME@_predict(@X@) - wanted;
    return off <= tolerance && -off <= tolerance;
}}

void setup()
{{
    int right = 0;
    Serial.begin(115200);
    for (int i = 0; i < NT_ROWS; ++i) {{
        right += is_right(i);
    }}
    Serial.print(right);
    Serial.print(F(" of "));
    Serial.print(NT_ROWS);
    Serial.println(F(" vectors are right"));
}}

void loop()
{{
}}
"""


def sketch(model: Model, includes: str) -> str:
    """A sketch that fills the inputs, predicts once a second and prints the class by name, or the value."""
    cases = "\n".join(
        f"    case {place}:\n        Serial.println(F({text}));\n        break;" for place, text in class_rows(model)
    )
    shown = (SWITCH if cases else VALUE).format(name=model.name, cases=cases, x=model.x)
    return written(SKETCH, model, INCLUDES=includes, FILL=fill(model), PRINT=shown)


def self_test_sketch(model: Model, includes: str) -> str:
    """A sketch that prints how many vectors of ``vectors.h`` give the right result."""
    return written(SELF_TEST, model, INCLUDES=includes, TYPE=_type(model))


def _type(model: Model) -> str:
    return "float" if model.tree.classes is None else "int16_t"


def sketch_vectors(model: Model, *, is_integer: bool, fine: bool) -> str:
    """``vectors.h`` of the sketch: inputs, results and tolerances, which stay in flash on AVR."""
    tree, argument = model.tree, model.argument
    inner, read = (tree, ()) if tree.columns is None else reads(tree)
    integers = quantize_tree(inner, fine=fine, sources=sources_of(argument, read)) if is_integer else None
    X = vectors(tree, integers, argument)
    X = X[: max(1, MOST_BYTES // (4 * X.shape[1]))]
    wanted, tolerance = expected(tree, integers, X, argument)
    rows = "\n".join(f"    {initialiser(argument, row)}," for row in X.tolist())
    width = "" if argument.is_struct else f"[{X.shape[1]}]"
    return f"""// Raw inputs, the result for each, and its tolerance. {MARK}; do not edit.
enum {{ NT_ROWS = {len(X)} }};
static const {argument.c_type} nt_inputs[NT_ROWS]{width} PROGMEM = {{
{rows}
}};
static const {_type(model)} nt_expected[NT_ROWS] PROGMEM = {{{_numbers(model, wanted)}}};
static const {_type(model)} nt_tolerance[NT_ROWS] PROGMEM = {{{_numbers(model, tolerance)}}};
"""


def _numbers(model: Model, values: NDArray) -> str:
    return ", ".join(literal(v) if model.tree.classes is None else str(int(v)) for v in values.tolist())
