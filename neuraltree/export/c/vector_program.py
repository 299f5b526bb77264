"""The program that compares exported code with its test vectors, on the machine for which it is compiled."""

from __future__ import annotations

from neuraltree.tree.tree import Tree

# On AVR texts and vectors stay in flash: its RAM of 2 KB would hold the vectors of 15 features.
SAY = """#if defined(__AVR__)
#define NT_SAY(text, ...) printf_P(PSTR(text), __VA_ARGS__)
#else
#define NT_SAY(text, ...) printf(text, __VA_ARGS__)
#endif
"""


def vector_program(tree: Tree, name: str, rows: int, width: int) -> str:
    """C that returns 0 if all ``rows`` vectors of ``width`` numbers give the right result, else 1."""
    regression = tree.classes is None
    fields = {
        "NAME": name,
        "ROWS": rows,
        "WIDTH": width,
        "KIND": "float" if regression else "int",
        "READ": "float, float" if regression else "word, int16_t",
        "SHOWN": "%.9g" if regression else "%d",
        "CAST": "(double)" if regression else "",
        "CHECK": "" if tree.columns is None else CHECK.replace("@NAME@", name),
    }
    text = PROGRAM
    for field, value in fields.items():
        text = text.replace(f"@{field}@", str(value))
    return text


PROGRAM = f"""/* Compile it with the model and run: cc -std=c99 -I. @NAME@.c test/@NAME@_test.c -o check && ./check */
#include <stdio.h>

#include "../@NAME@.h"
#include "@NAME@_vectors.h"

{SAY}
int main(void)
{{
    int i, k, wrong = 0;
    for (i = 0; i < @ROWS@; ++i) {{
        float x[@WIDTH@];
        @KIND@ found, wanted, tolerance;
        for (k = 0; k < @WIDTH@; ++k) {{
            x[k] = NT_READ(float, float, &nt_inputs[i][k]);
        }}
        found = @NAME@_predict(x);
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
CHECK = """        if (@NAME@_check(x) != NT_READ(word, int16_t, nt_checked + i)) {
            NT_SAY("vector %d: the check says %d instead of %d\\n", i, @NAME@_check(x),
                   NT_READ(word, int16_t, nt_checked + i));
            ++wrong;
            continue;
        }
"""
