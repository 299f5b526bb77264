"""A tree in two halves as C99: what a sensor node computes and sends, what its gateway makes of it, and both together
for a check. The arithmetic is that of ``compress.splitting.halves``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from neuraltree.compress.formats import InputSpec
from neuraltree.compress.int8.integer_tree import quantize_tree
from neuraltree.compress.splitting.halves import Halves, split_tree
from neuraltree.export.c.argument import Argument, argument_of, narrowed, sources_of
from neuraltree.export.c.header_inputs import check_declaration, enum_text, input_positions
from neuraltree.export.c.parts import FLASH, MACROS
from neuraltree.export.c.self_test import test_files
from neuraltree.export.c.two_devices.half_code import gateway_body, node_body, result
from neuraltree.export.c.two_devices.sides import NODE, Side, sides_of
from neuraltree.export.names import check_name
from neuraltree.export.needed import needed, reads
from neuraltree.tree.soundness import refuse_several_targets
from neuraltree.tree.tree import Tree


def halves_of(tree: Tree, own: Sequence[str], *, inputs: InputSpec = "float32") -> Halves:
    """The halves of a tree in integers for a node with the columns ``own``, or with these features if the tree has no
    columns. A column goes to one side with all its features. ``inputs``: what the code takes, as for ``export_c``.

    ``ValueError`` for a tree of several targets, a name that the tree does not have, and a side without inputs.
    """
    refuse_several_targets(tree.kind, tree.num_outputs, "a split")
    names = owned_names(tree)
    if missing := [name for name in own if name not in names]:
        raise ValueError(f"no input of the model: {', '.join(missing)}; it has: {', '.join(names)}")
    spec, model = narrowed(tree, inputs), needed(tree)
    inner, read = (model, ()) if model.columns is None else reads(model)
    sources = sources_of(argument_of(model, "model", spec), read)
    of = [(model.columns or ())[each.column].name for each in read] if read else names
    mine = [i for i, name in enumerate(of) if name in own]
    return split_tree(quantize_tree(inner, sources=sources), mine, model=tree, inputs=spec)


def owned_names(tree: Tree) -> tuple[str, ...]:
    """What one of two devices can have: the names of the columns, or of the features if there are no columns."""
    return tree.features if tree.columns is None else tuple(column.name for column in tree.columns)


def export_split(halves: Halves, name: str = "model") -> dict[str, str]:
    """The texts of the files by file name.

    The node calls ``NAME_node_send``, the gateway ``NAME_gateway_predict`` with the message; ``NAME_node_check`` and
    ``NAME_gateway_check`` if there are columns. ``NAME_predict`` does both for all inputs; the program in ``test/``
    checks it.
    """
    check_name(name)
    with np.errstate(all="ignore"):
        node, gateway = sides = sides_of(halves, name)
        for side in sides:
            check_name(side.argument.name)
        tree = needed(halves.model)
        found = {
            f"{name}_node.h": _header(halves, node),
            f"{name}_node.c": _source(node, node_body(halves, node)),
            f"{name}_gateway.h": _header(halves, gateway),
            f"{name}_gateway.c": _source(gateway, gateway_body(halves, gateway)),
            f"{name}.h": _both_header(halves, tree, node.whole),
            f"{name}.c": _both(halves, tree, node, gateway),
        }
        return found | test_files(tree, node.whole, halves.whole)


def _source(side: Side, parts: Sequence[str]) -> str:
    return "\n".join(part for part in [f'#include "{side.argument.name}.h"\n', MACROS, FLASH, *parts] if part)


def _header(halves: Halves, side: Side) -> str:
    """The header of one half."""
    classes, argument = halves.whole.source.classes, side.argument
    upper, x = argument.name.upper(), argument.parameter
    # The node does not know the classes.
    parts = [input_positions(side.columns, argument, None if side.part == NODE else classes)]
    if side.part != NODE and classes is not None:
        parts.append(f"/* What {argument.name}_predict returns. */\n{enum_text('CLASS', upper, classes)}")
    parts.append(f"/* The bytes of a message. */\nenum {{ {upper}_MESSAGE = {halves.message_bytes} }};\n")
    what = "target in its own units" if classes is None else "class"
    takes = f"({x}, const uint8_t *message)"
    function = {
        True: ("/* Fills the message for raw inputs. */", f"void {argument.name}_send({x}, uint8_t *message)"),
        False: (
            f"/* The {what}, for raw inputs of the gateway and the node's message. */",
            f"{result(halves)} {argument.name}_predict{takes}",
        ),
    }[side.part == NODE]
    rows = [function, *check_declaration(side.columns, argument)]
    body = "\n".join([*parts, "\n\n".join(f"{text}\n{prototype};" for text, prototype in rows)])
    return _filled(HEADER, {"BODY": body, "PART": side.part, "UPPER": upper})


def _both_header(halves: Halves, tree: Tree, argument: Argument) -> str:
    marks = {
        "NAME": argument.name,
        "UPPER": argument.name.upper(),
        "RESULT": result(halves),
        "STRUCT": f"{argument.declared()}\n" if argument.is_struct else "",
        "PARAMETER": argument.parameter,
        "ORDER": "the model's features" if tree.columns is None else "the model's columns that it reads",
        "CHECKS": "".join(f"{text}\n{made};\n\n" for text, made in check_declaration(tree.columns, argument)),
    }
    return _filled(BOTH_HEADER, marks)


def _both(halves: Halves, tree: Tree, node: Side, gateway: Side) -> str:
    """The source of what does both: its inputs are copied to those of the sides."""
    whole = node.whole
    copies = [
        f"    {side.argument.places[i].replace('x', f'of_{side.part}', 1)} = {whole.places[place]};"
        for side in (node, gateway)
        for i, place in enumerate(side.places)
    ]
    marks = {
        "ROOMS": ROOMS,
        "NAME": whole.name,
        "UPPER": whole.name.upper(),
        "RESULT": result(halves),
        "PARAMETER": whole.parameter,
        "COPIES": "\n".join(copies),
        "COUNT": str(len(whole.inputs)),
    }
    for side in (node, gateway):
        marks[f"{side.part.upper()}_TYPE"] = side.argument.c_type
        marks[f"{side.part.upper()}_ROOM"] = "1" if side.argument.is_struct else str(len(side.places))
        marks[f"{side.part.upper()}_PLACES"] = ", ".join(map(str, side.places))
    return _filled(BOTH if tree.columns is None else f"{BOTH}{BOTH_CHECK}", marks)


def _filled(text: str, marks: Mapping[str, str]) -> str:
    for mark, value in marks.items():
        text = text.replace(f"@{mark}@", value)
    return text


HEADER = """/* The @PART@'s half of a neural tree. Written by neuraltree; do not edit. */
#ifndef @UPPER@_H
#define @UPPER@_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

@BODY@

#ifdef __cplusplus
}
#endif

#endif /* @UPPER@_H */
"""
BOTH_HEADER = """/* Both halves of a neural tree, one after the other. Written by neuraltree; do not edit. */
#ifndef @UPPER@_H
#define @UPPER@_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

@STRUCT@/* The answer of the gateway, for the raw inputs of both in the order of @ORDER@. */
@RESULT@ @NAME@_predict(@PARAMETER@);

@CHECKS@#ifdef __cplusplus
}
#endif

#endif /* @UPPER@_H */
"""
ROOMS = """    @NODE_TYPE@ of_node[@NODE_ROOM@];
    @GATEWAY_TYPE@ of_gateway[@GATEWAY_ROOM@];
"""
BOTH = """#include "@NAME@.h"
#include "@NAME@_gateway.h"
#include "@NAME@_node.h"

static void nt_apart(@PARAMETER@, @NODE_TYPE@ *of_node, @GATEWAY_TYPE@ *of_gateway)
{
@COPIES@
}

@RESULT@ @NAME@_predict(@PARAMETER@)
{
@ROOMS@    uint8_t message[@UPPER@_NODE_MESSAGE];
    nt_apart(x, of_node, of_gateway);
    @NAME@_node_send(of_node, message);
    return @NAME@_gateway_predict(of_gateway, message);
}
"""
BOTH_CHECK = """
int @NAME@_check(@PARAMETER@)
{
    static const int places_of_node[] = {@NODE_PLACES@}, places_of_gateway[] = {@GATEWAY_PLACES@};
    int node, gateway;
@ROOMS@    nt_apart(x, of_node, of_gateway);
    node = @NAME@_node_check(of_node);
    gateway = @NAME@_gateway_check(of_gateway);
    node = node < 0 ? @COUNT@ : places_of_node[node];
    gateway = gateway < 0 ? @COUNT@ : places_of_gateway[gateway];
    node = node < gateway ? node : gateway;
    return node < @COUNT@ ? node : -1;
}
"""
