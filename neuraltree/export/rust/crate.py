"""A tree as a Rust crate: no std, no unsafe code, no dependencies; its test compares it with Python."""

from __future__ import annotations

import numpy as np

from neuraltree.compress.formats import number_format
from neuraltree.compress.int8.integer_tree import quantize_tree
from neuraltree.export.names import MARK, check_name
from neuraltree.export.needed import needed, reads
from neuraltree.export.rust.rust_floats import float_parts
from neuraltree.export.rust.rust_integers import integer_parts
from neuraltree.export.rust.rust_names import CRATES, constants_of_inputs, enum
from neuraltree.export.rust.rust_parts import encoding
from neuraltree.export.rust.rust_test import test_file
from neuraltree.tree.soundness import refuse_several_targets
from neuraltree.tree.tree import Tree

CARGO = f"""# {MARK}; do not edit.
[package]
name = "@NAME@"
version = "1.0.0"
edition = "2021"
description = "A neural tree, exported by neuraltree"
"""
# The lints allowed are about how people write numbers and sums; these come from a model.
HEAD = f"""//! A neural tree, @SUMMARY@. {MARK}; do not edit.
#![no_std]
#![forbid(unsafe_code)]
#![allow(clippy::approx_constant, clippy::excessive_precision, clippy::enum_variant_names, clippy::manual_clamp)]
#![allow(clippy::erasing_op, clippy::identity_op, clippy::neg_multiply)]
"""


def export_rust(tree: Tree, name: str = "model", *, precision: str = "float32") -> dict[str, str]:
    """The texts of the files of a crate by file name. The crate has the name in small letters.

    ``predict`` takes raw inputs, or the numbers of the columns that the tree reads. float32: up to rounding, as C;
    int8: the bits of ``compress.quantize_tree``. ``ValueError`` for a name that Rust keeps for itself, several targets,
    or a tree that single floats or integers cannot hold.
    """
    is_integer = number_format(precision).is_integer
    crate = check_name(name).lower()
    if crate in CRATES:
        raise ValueError(f"{name!r} cannot be the name of a Rust crate, as Rust has the word; give another name")
    refuse_several_targets(tree.kind, tree.num_outputs, "Rust export")
    with np.errstate(all="ignore"):  # a number that overflows is refused where it would be written
        tree = needed(tree)
        inner, read = (tree, ()) if tree.columns is None else reads(tree)
        integers = quantize_tree(inner) if is_integer else None
        encoded = encoding(read)
        sine = "sine(" in "".join(encoded)
        if integers is None:
            body = float_parts(inner, bool(read), sine=sine)
        else:
            body = integer_parts(inner, integers, bool(read), sine=sine)
        classes = [] if tree.classes is None else [enum(tree.classes)]
        parts = [HEAD.replace("@SUMMARY@", _summary(tree)), constants_of_inputs(tree), *classes]
        parts += [*body.functions, *encoded, *body.entries]
        return {
            "Cargo.toml": CARGO.replace("@NAME@", crate),
            "src/lib.rs": "\n".join(parts),
            "tests/vectors.rs": test_file(tree, crate, integers),
        }


def _summary(tree: Tree) -> str:
    inputs = f"{len(tree.features)} inputs" if tree.columns is None else f"{len(tree.columns)} columns"
    return f"{tree.kind}: {inputs}, {tree.num_weights} weights"
