"""Raw inputs to integers, in C."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from neuraltree.compress.int8.integer_tree import IntegerTree
from neuraltree.compress.int8.stages import InputStage
from neuraltree.export.c.columns.column_code import encoded
from neuraltree.export.c.integers.float_stage import places_of, table_of_floats

if TYPE_CHECKING:
    from neuraltree.export.needed import Read


def input_stage(tree: IntegerTree, name: str, reads: Sequence[Read] = ()) -> str:
    """``NAME_quantize``: one loop over the inputs in use, from raw inputs, or as ``reads`` says, from columns."""
    stage = tree.inputs
    assert isinstance(stage, InputStage)
    count = len(stage.features)
    if not count:
        return f"NT_PUBLIC void {name}_quantize(const float *x, int8_t *q)\n{{\n    (void)x;\n    q[0] = 0;\n}}\n"
    places = places_of(list(range(count)) if reads else stage.features.tolist())
    before, inputs = encoded(reads)
    return "\n".join(
        [
            *table_of_floats(stage, places),
            f"""void {name}_convert(const struct nt_input *input, const struct nt_input *last, const float *x,
                             int8_t *q);
NT_ALONE void {name}_convert(const struct nt_input *input, const struct nt_input *last, const float *x,
                             int8_t *q)
{{
    NT_LOOP
    for (; input != last; ++input) {{
        *q++ = nt_integer({places.read}, input);
    }}
}}

NT_PUBLIC void {name}_quantize(const float *x, int8_t *q)
{{
{before}    {name}_convert(nt_inputs, nt_inputs + {count}, {inputs}, q);
}}
""",
        ]
    )
