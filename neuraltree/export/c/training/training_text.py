"""Pieces of C for training on the device; ``fill`` replaces each ``@...@``."""

from __future__ import annotations

import re

from neuraltree.export.head import FIRST, OPENED, OUTPUT
from neuraltree.tree.tree import Tree


def fill(text: str, tree: Tree, name: str, **fields: object) -> str:
    common = {"NAME": name, "UPPER": name.upper(), "PARAMETERS": tree.num_weights, "OUTPUTS": tree.num_outputs}
    values = common | fields
    return re.sub("@([A-Z_]+)@", lambda field: str(values[field[1]]), text)


HEADER = """/* Training of the neural tree @NAME@ in place, one row at a time. Written by neuraltree; do not edit.
   RAM: 4 bytes for each of @PARAMETERS@ parameters and @NODES@ function nodes, and the stack.
@TRAINED@   Inputs x:
@INPUTS@@CLASSES@*/
#ifndef @UPPER@_TRAIN_H
#define @UPPER@_TRAIN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { @UPPER@_PARAMETERS = @PARAMETERS@ };

/* For standardised inputs and target. Node by node in order of evaluation: its bias, the weights of its inputs, and,
   unless it is an output, the weight of its value. with_parameters of neuraltree.export reads them back. */
extern float @NAME@_parameters[@UPPER@_PARAMETERS];

/* The parameters as exported; to be called before anything else. */
void @NAME@_reset(void);

/* One step against the gradient, times rate, for raw inputs x; y is @MEANING@.
   Returns the loss before the step: @LOSS@.
   Returns -1 if y, a sum or the loss is out of range or no number; the parameters then stay as they are. If a rate was
   too large for them, @NAME@_reset brings back the first ones. */
float @NAME@_train(const float *x, @TARGET@ y, float rate);

/* The prediction with the present parameters, for raw inputs x: @MEANING@. */
@TARGET@ @NAME@_trained_predict(const float *x);

#ifdef __cplusplus
}
#endif

#endif /* @UPPER@_TRAIN_H */
"""

# x = 2^n m, m in [0.7, 1.4]; log m = 2 artanh((m - 1) / (m + 1)), five terms of its series.
LOG = """/* The natural logarithm of x >= 1. */
NT_CALL float nt_log(float x)
{
    union { float value; uint32_t bits; } part;
    float n, t, z;
    part.value = x;
    n = (float)((int32_t)(part.bits >> 23) - 127);
    part.bits = (part.bits & 0x7fffffu) | 0x3f800000u;
    if (part.value > 1.41421356f) {
        part.value *= 0.5f;
        n += 1.0f;
    }
    t = (part.value - 1.0f) / (part.value + 1.0f);
    z = t * t;
    return n * 6.93147181e-1f + 2.0f * t * (1.0f + z * (3.33333333e-1f + z * (0.2f + z * (1.42857143e-1f
        + z * 1.11111111e-1f))));
}
"""
INPUT = """NT_INLINE float nt_input(const float *x, @UNIT@ i)
{
    const float raw = x[NT_READ(@READ_FEATURE@, nt_feature + i)];
    return (raw - NT_READ(float, float, nt_mean + i)) * NT_READ(float, float, nt_gain + i)@SHIFT@;
}
"""
STATE = f"""float @NAME@_parameters[@UPPER@_PARAMETERS];
/* The value of each node, or its sum if the slope cannot be computed from the value. */
static float nt_kept[@NODES@];

{INPUT}"""
FORWARD = f"""/* The outputs y; returns the bits of the largest sum, 0x7f800000 or more if one was no number. */
NT_CALL uint32_t nt_forward(const float *x, float *y)
{{
    float waiting[@DEPTH@];
    float *top = waiting;
    const float *parameter = @NAME@_parameters;
    const @UNIT@ *code = nt_code;
    const @UNIT@ *leaf = nt_leaf;
    uint32_t largest = 0u;
    int_fast16_t node;
    NT_LOOP
    for (node = 0; node < @NODES@; ++node) {{
        const @UNIT@ head = NT_READ(@READ@, code++);
        @UNIT@ inputs = NT_READ(@READ@, code++);
        union {{ float value; uint32_t bits; }} sum;
        float value, kept;
        sum.value = *parameter++;
        if ((head & {OPENED}) != 0) {{
            sum.value += *--top;
        }}
        NT_LOOP
        for (; inputs != 0; --inputs) {{
            sum.value += *parameter++ * nt_input(x, NT_READ(@READ@, leaf++));
        }}
        kept = value = sum.value;
        sum.bits &= 0x7fffffffu;
        largest = sum.bits > largest ? sum.bits : largest;
@VALUES@        nt_kept[node] = kept;
        if ((head & {OUTPUT}) != 0) {{
            *y++ = value;
            continue;
        }}
        value *= *parameter++;
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
    float *parameter = @NAME@_parameters + @PARAMETERS@;
    const @UNIT@ *code = nt_code + 2 * @NODES@;
    const @UNIT@ *leaf = nt_leaf + @LEAVES@;
    int_fast16_t node = @NODES@;
    by_output += @OUTPUTS@;
    NT_LOOP
    while (node-- > 0) {{
        @UNIT@ inputs = NT_READ(@READ@, --code);
        const @UNIT@ head = NT_READ(@READ@, --code);
        const float kept = nt_kept[node];
        float value = kept, slope = 1.0f, change;
@SLOPES@        if ((head & {OUTPUT}) != 0) {{
            change = *--by_output * slope;
        }} else {{
            const float above = top[-1];
            const float weight = *--parameter;
            *parameter = weight - above * value;
            change = above * weight * slope;
            if ((head & {FIRST}) != 0) {{
                --top;
            }}
        }}
        if ((head & {OPENED}) != 0) {{
            *top++ = change;
        }}
        NT_LOOP
        for (; inputs != 0; --inputs) {{
            *--parameter -= change * nt_input(x, NT_READ(@READ@, --leaf));
        }}
        *--parameter -= change;
    }}
}}
"""
LOSS_NAMES = {
    "squared": "half the squared error of the standardised target",
    "squared classes": "half the squared error, summed over the outputs",
    "logistic": "the cross-entropy",
    "softmax": "the cross-entropy",
}
# Each function returns the loss of the outputs y, and replaces y by rate times the derivative of the loss by y.
LOSSES = {
    "squared": """static float nt_loss(float *y, float target, float rate)
{
    const float off = y[0] - (target - @MEAN@) * @GAIN@@SHIFT_BACK@;
    y[0] = rate * off;
    return 0.5f * off * off;
}
""",
    "squared classes": """static float nt_loss(float *y, int target, float rate)
{
    float loss = 0.0f;
    int k;
    NT_LOOP
    for (k = 0; k < @OUTPUTS@; ++k) {
        const float off = y[k] - (k == target ? 1.0f : 0.0f);
        y[k] = rate * off;
        loss += 0.5f * off * off;
    }
    return loss;
}
""",
    "logistic": """static float nt_loss(float *y, int target, float rate)
{
    const float against = target != 0 ? -y[0] : y[0];
    const float away = against > 0.0f ? against : -against;
    y[0] = rate * (1.0f / (1.0f + nt_exp(-y[0])) - (target != 0 ? 1.0f : 0.0f));
    return (against > 0.0f ? against : 0.0f) + nt_log(1.0f + nt_exp(-away));
}
""",
    "softmax": """static float nt_loss(float *y, int target, float rate)
{
    float top = y[0], total = 0.0f, gap;
    int k;
    NT_LOOP
    for (k = 1; k < @OUTPUTS@; ++k) {
        top = y[k] > top ? y[k] : top;
    }
    gap = top - y[target];
    NT_LOOP
    for (k = 0; k < @OUTPUTS@; ++k) {
        y[k] = nt_exp(y[k] - top);
        total += y[k];
    }
    NT_LOOP
    for (k = 0; k < @OUTPUTS@; ++k) {
        y[k] = rate * (y[k] / total - (k == target ? 1.0f : 0.0f));
    }
    return gap + nt_log(total);
}
""",
}
ENTRIES = """NT_PUBLIC void @NAME@_reset(void)
{
    int_fast16_t i;
    NT_LOOP
    for (i = 0; i < @PARAMETERS@; ++i) {
        @NAME@_parameters[i] = NT_READ(float, float, nt_initial + i);
    }
}

NT_PUBLIC float @NAME@_train(const float *x, @TARGET@ y, float rate)
{
    union { float value; uint32_t bits; } loss;
    float outputs[@OUTPUTS@];
    if (nt_forward(x, outputs) >= 0x7f800000u@WRONG@) {
        return -1.0f;
    }
    loss.value = nt_loss(outputs, y, rate);
    if ((loss.bits & 0x7fffffffu) >= 0x7f800000u) {
        return -1.0f;
    }
    nt_backward(x, outputs);
    return loss.value;
}
"""
PREDICT = {
    "regression": """NT_PUBLIC float @NAME@_trained_predict(const float *x)
{
    float y[1];
    (void)nt_forward(x, y);
    return y[0] * @SCALE@ + @MEAN@;
}
""",
    "binary": """NT_PUBLIC int @NAME@_trained_predict(const float *x)
{
    float y[1];
    (void)nt_forward(x, y);
    return y[0] > @THRESHOLD@;
}
""",
    "multiclass": """NT_PUBLIC int @NAME@_trained_predict(const float *x)
{
    float y[@OUTPUTS@];
    int best = 0, k;
    (void)nt_forward(x, y);
    NT_LOOP
    for (k = 1; k < @OUTPUTS@; ++k) {
        best = y[k] > y[best] ? k : best;
    }
    return best;
}
""",
}
