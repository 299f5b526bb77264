"""Pieces of C for training on the device that updates some of the nodes; the other weights are constants in flash."""

from __future__ import annotations

from neuraltree.export.c.training.training_text import INPUT
from neuraltree.export.head import FINE_FLAG, FIRST, OPENED, OUTPUT

# Of a node's head, in the place of a flag of integer code: the bias and the weights of its inputs are trained.
LIVE = FINE_FLAG
# Of the second number of a node, below its number of inputs.
INPUTS_AT = 2
WEIGHT, PATH = 1, 2  # the weight of its value is trained; the node, or one below it, is trained

TRAINED = """   The nodes in training, by their positions in the model file: @LIVE@.
   The other @FIXED@ weights are constants.
"""
STATE = f"""float @NAME@_parameters[@UPPER@_PARAMETERS];
/* From the forward pass, of the nodes that the backward pass visits: the value, or the sum if the slope is needed and
   cannot be computed from the value. */
static float nt_kept[@KEPT@];

{INPUT}
/* A parameter: in RAM if it is trained, else a constant. */
NT_INLINE float nt_parameter(const float *place, int is_live)
{{
    return is_live ? *place : NT_READ(float, float, place);
}}
"""
FORWARD = f"""/* The outputs y; returns the bits of the largest sum, 0x7f800000 or more if one was no number. */
NT_CALL uint32_t nt_forward(const float *x, float *y)
{{
    float waiting[@DEPTH@];
    float *top = waiting;
    float *place = nt_kept;
    const float *live = @NAME@_parameters;
    const float *fixed = nt_fixed;
    const @UNIT@ *code = nt_code;
    const @UNIT@ *leaf = nt_leaf;
    uint32_t largest = 0u;
    int_fast16_t node;
    NT_LOOP
    for (node = 0; node < @NODES@; ++node) {{
        const @UNIT@ head = NT_READ(@READ@, code++);
        const @UNIT@ reach = NT_READ(@READ@, code++);
        @UNIT@ inputs = (@UNIT@)(reach >> {INPUTS_AT});
        const int is_live = (head & {LIVE}) != 0;
        const float *parameter = is_live ? live : fixed;
        union {{ float value; uint32_t bits; }} sum;
        float value, kept;
        sum.value = nt_parameter(parameter++, is_live);
        if ((head & {OPENED}) != 0) {{
            sum.value += *--top;
        }}
        NT_LOOP
        for (; inputs != 0; --inputs) {{
            sum.value += nt_parameter(parameter++, is_live) * nt_input(x, NT_READ(@READ@, leaf++));
        }}
        if (is_live) {{
            live = parameter;
        }} else {{
            fixed = parameter;
        }}
        kept = value = sum.value;
        sum.bits &= 0x7fffffffu;
        largest = sum.bits > largest ? sum.bits : largest;
@VALUES@        if ((reach & {WEIGHT | PATH}) != 0) {{
            *place++ = (reach & {PATH}) != 0 ? kept : value;
        }}
        if ((head & {OUTPUT}) != 0) {{
            *y++ = value;
            continue;
        }}
        value *= (reach & {WEIGHT}) != 0 ? *live++ : NT_READ(float, float, fixed++);
        if ((head & {FIRST}) != 0) {{
            *top++ = value;
        }} else {{
            top[-1] += value;
        }}
    }}
    return largest;
}}
"""
BACKWARD = f"""/* The step, from rate times the derivative of the loss by each output. */
NT_CALL void nt_backward(const float *x, const float *by_output)
{{
    float waiting[@DEPTH@];
    float *top = waiting;
    float *live = @NAME@_parameters + @PARAMETERS@;
    const float *place = nt_kept + @KEPT@;
    const float *fixed = nt_fixed + @FIXED@;
    const @UNIT@ *code = nt_code + 2 * @NODES@;
    const @UNIT@ *leaf = nt_leaf + @LEAVES@;
    by_output += @OUTPUTS@;
    NT_LOOP
    while (place > nt_kept) {{
        const @UNIT@ reach = NT_READ(@READ@, --code);
        const @UNIT@ head = NT_READ(@READ@, --code);
        @UNIT@ inputs = (@UNIT@)(reach >> {INPUTS_AT});
        float change = 0.0f;
        if ((head & {OUTPUT}) != 0) {{
            --by_output;
        }}
        if ((reach & {WEIGHT | PATH}) != 0) {{
            const float kept = *--place;
            float value = kept, slope = 1.0f;
            if ((reach & {PATH}) != 0) {{
@SLOPES@            }}
            if ((head & {OUTPUT}) != 0) {{
                change = *by_output * slope;
            }} else if ((reach & {WEIGHT}) != 0) {{
                const float weight = *--live;
                *live = weight - top[-1] * value;
                change = top[-1] * weight * slope;
            }} else {{
                change = top[-1] * NT_READ(float, float, --fixed) * slope;
            }}
        }} else if ((head & {OUTPUT}) == 0) {{
            --fixed;
        }}
        if ((head & {FIRST}) != 0) {{
            --top;
        }}
        if ((head & {OPENED}) != 0) {{
            *top++ = change;
        }}
        if ((head & {LIVE}) == 0) {{
            leaf -= inputs;
            fixed -= inputs + 1;
            continue;
        }}
        NT_LOOP
        for (; inputs != 0; --inputs) {{
            *--live -= change * nt_input(x, NT_READ(@READ@, --leaf));
        }}
        *--live -= change;
    }}
}}
"""
