"""The program that compares exported code with its test vectors, on the machine for which it is compiled."""

from __future__ import annotations

from neuraltree.export.c.argument import Argument
from neuraltree.tree.tree import Tree

# On AVR texts and vectors stay in flash: its RAM of 2 KB would hold the vectors of 15 features.
SAY = """#if defined(__AVR__)
#define NT_SAY(text, ...) printf_P(PSTR(text), __VA_ARGS__)
#define NT_COPY memcpy_P
#else
#define NT_COPY memcpy
#define NT_SAY(text, ...) printf(text, __VA_ARGS__)
#endif
"""


def vector_program(tree: Tree, argument: Argument, rows: int, width: int) -> str:
    """C that returns 0 if all ``rows`` vectors of ``width`` numbers give the right result, else 1."""
    regression = tree.classes is None
    fields = {
        "CHECK": "" if tree.columns is None else CHECK,
        "NAME": argument.name,
        "ROWS": rows,
        "TYPE": argument.c_type,
        "WIDTH": "" if argument.is_struct else f"[{width}]",
        "X": "&x" if argument.is_struct else "x",
        "KIND": "float" if regression else "int",
        "READ": "float, float" if regression else "word, int16_t",
        "SHOWN": "%.9g" if regression else "%d",
        "CAST": "(double)" if regression else "",
    }
    text = PROGRAM
    for field, value in fields.items():
        text = text.replace(f"@{field}@", str(value))
    return text


PROGRAM = f"""/* Compile it with the model and run: cc -std=c99 -I. @NAME@.c test/@NAME@_test.c -o check && ./check */
#include <stdio.h>
#include <string.h>

#include "../@NAME@.h"
#include "@NAME@_vectors.h"

{SAY}
int main(void)
{{
    int i, wrong = 0;
    for (i = 0; i < @ROWS@; ++i) {{
        @TYPE@ x@WIDTH@;
        @KIND@ found, wanted, tolerance;
        NT_COPY(@X@, nt_inputs + i, sizeof x);
        found = @NAME@_predict(@X@);
        wanted = NT_READ(@READ@, nt_expected + i);
        tolerance = NT_READ(@READ@, nt_tolerance + i);
@CHECK@        if (!(found - wanted <= tolerance && wanted - found <= tolerance)) {{
            NT_SAY("vector %d: @SHOWN@ instead of @SHOWN@\\n", i, @CAST@found, @CAST@wanted);
            ++wrong;
        }}
    }}
    NT_SAY("%d of @ROWS@ vectors are right\\n", @ROWS@ - wrong);
    return wrong != 0;
}}
"""
CHECK = """        if (@NAME@_check(@X@) != NT_READ(word, int16_t, nt_checked + i)) {
            NT_SAY("vector %d: the check says %d instead of %d\\n", i, @NAME@_check(@X@),
                   NT_READ(word, int16_t, nt_checked + i));
            ++wrong;
            continue;
        }
"""
