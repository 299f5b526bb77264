"""A tree as C99: a header, a source, and a program that checks them; the folder is an Arduino library too.

The C uses no heap, no recursion and no library. The same tree always gives the same text.
"""

from __future__ import annotations

import numpy as np

from neuraltree.compress.formats import check_style, number_format
from neuraltree.compress.int8.integer_tree import IntegerTree, quantize_tree
from neuraltree.compress.int8.losing import loses_much, word_of_loss
from neuraltree.export.c import float_code, integer_code
from neuraltree.export.c.parts import EXP, FLASH, MACROS, array, literal
from neuraltree.export.c.self_test import test_files
from neuraltree.export.names import check_name, comment, constants
from neuraltree.tree.soundness import refuse_several_targets
from neuraltree.tree.tree import Tree


def export_c(
    tree: Tree, name: str = "model", *, precision: str = "float32", style: str = "straight", fine: bool = False
) -> dict[str, str]:
    """The texts of the files by file name.

    ``style``: "straight" code, or a "table" read by an interpreter. ``fine``: 16-bit values for the children of a
    regression's output (int8 only). ``ValueError`` for anything that C cannot express; the message says what it can.
    """
    is_integer = number_format(precision).is_integer
    check_style(style)
    if fine and not is_integer:
        raise ValueError("16-bit values are an option of int8 code; float32 needs none")
    check_name(name)
    refuse_several_targets(tree.kind, tree.num_outputs, "C export")
    with np.errstate(all="ignore"):  # a number that overflows is refused where it would be written
        integers = quantize_tree(tree, fine=fine) if is_integer else None
        files = {f"{name}.h": _header(tree, name, integers), f"{name}.c": _source(tree, name, integers, style)}
        return files | test_files(tree, name, integers) | _arduino(tree, name)


def _header(tree: Tree, name: str, integers: IntegerTree | None) -> str:
    upper = name.upper()
    parts = [
        f"/* A neural tree, {comment(_summary(tree))}. Written by neuraltree; do not edit. */",
        *([f"/* {word_of_loss(tree).replace('²', '^2')}. */"] if integers is not None and loses_much(tree) else []),
        f"#ifndef {upper}_H\n#define {upper}_H\n\n#include <stdint.h>\n",
        '#ifdef __cplusplus\nextern "C" {\n#endif\n',
        f"/* The positions of the inputs in x. */\n{_enum('FEATURE', upper, tree.features)}",
    ]
    if tree.classes is not None:
        parts.append(f"/* What {name}_predict returns. */\n{_enum('CLASS', upper, tree.classes)}")
    if integers is not None:
        parts.append(f"enum {{ {upper}_INTEGERS = {_room(integers)} }};\n")
    parts += [f"{text}\n{declaration};\n" for text, declaration in _declarations(tree, name, integers)]
    parts.append(f"#ifdef __cplusplus\n}}\n#endif\n\n#endif /* {upper}_H */\n")
    return "\n".join(parts)


def _summary(tree: Tree) -> str:
    function_nodes = int((tree.nodes["op"] < 0).sum())
    return f"{tree.kind}: {len(tree.features)} inputs, {function_nodes} function nodes, {tree.num_weights} weights"


def _enum(what: str, upper: str, names: tuple) -> str:
    rows = [
        f"    {constant} = {place}, /* {comment(name)} */"
        for place, (constant, name) in enumerate(zip(constants(f"{upper}_{what}", names), names, strict=True))
    ]
    plural = {"FEATURE": "FEATURES", "CLASS": "CLASSES"}[what]
    return "\n".join(["enum {", *rows, f"    {upper}_{plural} = {len(names)}", "};\n"])


def _declarations(tree: Tree, name: str, integers: IntegerTree | None) -> list[tuple[str, str]]:
    """The comment and the prototype of each public function."""
    upper, found = name.upper(), []
    if tree.classes is None:
        found.append(("/* The target in its own units, for raw inputs. */", f"float {name}_predict(const float *x)"))
    else:
        found.append(("/* The class, for raw inputs. */", f"int {name}_predict(const float *x)"))
        text = f"/* The probability of each class, p[{upper}_CLASSES], for raw inputs. */"
        found.append((text, f"void {name}_probabilities(const float *x, float *p)"))
    if integers is None:
        return found
    used = [comment(tree.features[feature]) for feature in integers.inputs.features.tolist()]
    text = f"/* Converts raw inputs to the integers of the tree, q[{upper}_INTEGERS]: clamped to their range, NaN to 0."
    lines = [f"   {', '.join(used)}."] if used else []
    found.append(("\n".join([text, *lines]) + " */", f"void {name}_quantize(const float *x, int8_t *q)"))
    if tree.classes is None:
        stage = integers.outputs
        whole = f"(result >> {stage.drop})" if stage.drop else "result"
        units = f"({whole} + {stage.offset}) * {literal(float(stage.gain))}"
        text = f"/* The target as an integer; in its own units it is {units}. */"
        return [*found, (text, f"int32_t {name}_predict_q(const int8_t *q)")]
    return [*found, ("/* The class, for integer inputs. */", f"int {name}_predict_q(const int8_t *q)")]


def _source(tree: Tree, name: str, integers: IntegerTree | None, style: str) -> str:
    definitions, outputs = (
        float_code.body(tree, name, style) if integers is None else integer_code.body(integers, name, style)
    )
    exp = EXP if tree.classes is not None else ""
    functions = float_code.functions(tree) if integers is None else exp
    parts = [f'#include "{name}.h"\n', MACROS, FLASH, functions, definitions, outputs]
    if integers is not None:
        parts.append(_input_stage(integers, name))
    return "\n".join(part for part in [*parts, *_entries(tree, name, integers)] if part)


def _room(integers: IntegerTree) -> int:
    """The length of the array of integers; 1 if the tree reads no input, as C has no empty arrays."""
    return max(len(integers.inputs.features), 1)


def _input_stage(tree: IntegerTree, name: str) -> str:
    """``NAME_quantize``: one loop over the inputs in use."""
    stage = tree.inputs
    count = len(stage.features)
    if not count:
        return f"void {name}_quantize(const float *x, int8_t *q)\n{{\n    (void)x;\n    q[0] = 0;\n}}\n"
    unit = 8 if int(stage.features.max()) < 256 else 16
    width = {8: "byte", 16: "word"}[unit]
    scales = integer_code.packed(stage.multiplier, stage.shift)
    columns = (stage.zero.tolist(), scales, stage.power.tolist(), stage.features.tolist())
    rows = [f"{{{zero}, {scale}, {power}, {place}}}" for zero, scale, power, place in zip(*columns, strict=True)]
    return "\n".join(
        [
            "/* Each integer: its zero, its scale, the power of 2 that multiplies its input, the input's position. */",
            STRUCT.replace("@UNIT@", str(unit)),
            array("struct nt_input", "nt_inputs", rows),
            INTEGER,
            f"""void {name}_convert(const struct nt_input *input, const struct nt_input *last, const float *x,
                             int8_t *q);
NT_ALONE void {name}_convert(const struct nt_input *input, const struct nt_input *last, const float *x,
                             int8_t *q)
{{
    NT_LOOP
    for (; input != last; ++input) {{
        *q++ = nt_integer(x[NT_READ({width}, uint{unit}_t, &input->place)], input);
    }}
}}

void {name}_quantize(const float *x, int8_t *q)
{{
    {name}_convert(nt_inputs, nt_inputs + {count}, x, q);
}}
""",
        ]
    )


STRUCT = """struct nt_input {
    int32_t zero;
    uint16_t scale;
    int8_t power;
    uint@UNIT@_t place;
};
"""
# It uses no float operation: on a core without floating point one product would cost more than all of this.
INTEGER = """/* An input to -127..127: its bits are shifted to an integer, minus its zero, rescaled; NaN gives 0. */
NT_INLINE int8_t nt_integer(float value, const struct nt_input *input)
{
    union { float value; uint32_t bits; } word;
    int32_t whole, shift;
    word.value = value;
    shift = 158 - NT_READ(byte, int8_t, &input->power) - (int32_t)((word.bits >> 23) & 255u);
    if (shift > 1) {
        whole = shift < 32 ? (int32_t)(((word.bits << 8) | 0x80000000u) >> shift) : 0;
    } else if ((word.bits & 0x7fffffffu) > 0x7f800000u) {
        return 0;
    } else {
        whole = 0x40000000;
    }
    whole = ((word.bits >> 31) != 0u ? -whole : whole) - (int32_t)NT_READ(dword, int32_t, &input->zero);
    whole = nt_clamp(whole, -65535, 65535);
    return (int8_t)nt_clamp(nt_scaled(whole, NT_READ(word, uint16_t, &input->scale)), -127, 127);
}
"""


def _entries(tree: Tree, name: str, integers: IntegerTree | None) -> list[str]:
    """The public functions over ``nt_outputs``."""
    number, source = ("float", "x") if integers is None else ("int32_t", "q")
    y = f"    {number} y[{tree.num_outputs}];\n    nt_outputs({source}, y);\n    return {_answer(tree, name)};\n"
    largest = LARGEST.replace("@NAME@", name).replace("@TYPE@", number)
    entries = [largest] if tree.kind == "multiclass" else []
    result = "int" if tree.classes is not None else number
    if integers is None:
        entries.append(f"{result} {name}_predict(const float *x)\n{{\n{y}}}\n")
    else:
        entries.append(f"{result} {name}_predict_q(const int8_t *q)\n{{\n{y}}}\n")
        prepare = f"    int8_t q[{_room(integers)}];\n    {name}_quantize(x, q);\n"
        score = f"{name}_predict_q(q)"
        value, kind = (_value(integers, score), "float") if tree.classes is None else (score, "int")
        entries.append(f"{kind} {name}_predict(const float *x)\n{{\n{prepare}    return {value};\n}}\n")
    return [*entries, _probabilities(tree, name, integers)] if tree.classes is not None else entries


def _value(integers: IntegerTree, score: str) -> str:
    """The C expression of a value in its own units, or of a logit."""
    stage = integers.outputs
    whole = f"({score} >> {stage.drop})" if stage.drop else score
    shifted = f"({whole} + {stage.offset})" if stage.offset else f"{whole}"
    return f"(float){shifted} * {literal(float(stage.gain))}"


# Not static, like the interpreters, so that it stays one loop however few classes there are.
LARGEST = """int @NAME@_largest(const @TYPE@ *y, int count);
NT_ALONE int @NAME@_largest(const @TYPE@ *y, int count)
{
    int best = 0;
    NT_LOOP
    for (int i = 1; i < count; ++i) {
        if (y[i] > y[best]) {
            best = i;
        }
    }
    return best;
}
"""


def _answer(tree: Tree, name: str) -> str:
    if tree.classes is None:
        return "y[0]"
    return "y[0] > 0" if tree.kind == "binary" else f"{name}_largest(y, {tree.num_outputs})"


def _probabilities(tree: Tree, name: str, integers: IntegerTree | None) -> str:
    """Softmax of logits, the logistic function of one logit, or sigmoids divided by their sum."""
    outputs, count = tree.num_outputs, len(tree.classes or ())
    run = "    nt_outputs(x, y);\n"
    if integers is not None:
        run = f"""    int8_t q[{_room(integers)}];
    int32_t scores[{outputs}];
    {name}_quantize(x, q);
    nt_outputs(q, scores);
    NT_LOOP
    for (int k = 0; k < {outputs}; ++k) {{
        y[k] = {_value(integers, "scores[k]")};
    }}
"""
    if tree.kind == "binary":
        link = "    p[1] = 1.0f / (1.0f + nt_exp(-y[0]));\n    p[0] = 1.0f - p[1];\n"
    elif tree.output_activation == "identity":
        link = TOP + SHARES.format(value="nt_exp(y[k] - top)", even="0.0f")
    else:
        value = "y[k]" if integers is None else "1.0f / (1.0f + nt_exp(-y[k]))"
        link = SHARES.format(value=value, even=literal(1 / count))
    text = f"    float y[{outputs}];\n{run}{link}".replace("@COUNT@", str(count))
    return f"void {name}_probabilities(const float *x, float *p)\n{{\n{text}}}\n"


TOP = """    float top = y[0];
    NT_LOOP
    for (int k = 1; k < @COUNT@; ++k) {
        top = y[k] > top ? y[k] : top;
    }
"""
SHARES = """    float total = 0.0f;
    NT_LOOP
    for (int k = 0; k < @COUNT@; ++k) {{
        p[k] = {value};
        total += p[k];
    }}
    NT_LOOP
    for (int k = 0; k < @COUNT@; ++k) {{
        p[k] = total > 0.0f ? p[k] / total : {even};
    }}
"""


def _arduino(tree: Tree, name: str) -> dict[str, str]:
    title = name[:1].upper() + name[1:]
    properties = {
        "name": name,
        "version": "1.0.0",
        "author": "neuraltree",
        "maintainer": "neuraltree",
        "sentence": f"A neural tree ({comment(_summary(tree))}).",
        "paragraph": "Exported by neuraltree.",
        "category": "Data Processing",
        "url": "",
        "architectures": "*",
        "includes": f"{name}.h",
    }
    text = "".join(f"{key}={value}\n" for key, value in properties.items())
    sketch = f"""#include <{name}.h>

float x[{name.upper()}_FEATURES];

void setup() {{
    Serial.begin(115200);
}}

void loop() {{
    // Fill x with raw inputs here; their places are {name.upper()}_FEATURE_...
    Serial.println({name}_predict(x));
    delay(1000);
}}
"""
    return {"library.properties": text, f"examples/{title}/{title}.ino": sketch}
