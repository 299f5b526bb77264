"""``neuraltree split``: a model as C for a sensor node and its gateway, and what is sent between them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from neuraltree.cli.command import DONE

if TYPE_CHECKING:
    from neuraltree.compress.splitting.halves import Halves

EPILOG = """examples:
  neuraltree split results/mine/models/003.json --cut "accel*" --out halves
  neuraltree split results/mine --at features --cut temp --cut "gyro*" --name fall --out halves

The node computes what its inputs alone decide, and sends the fewest bytes with which the gateway, which has the other
inputs, gives the answer of the whole model in int8, bit for bit. --cut names the inputs of the node.

exit codes: 0 done, 2 bad input"""


def add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("model", metavar="MODEL", type=Path, help="the folder of a run, or a model file")
    made.add_argument("--at", choices=("features",), default="features", help="where to cut: between owners of inputs")
    pattern = "an input of the node, or a pattern of several, as accel*; may be repeated"
    made.add_argument("--cut", metavar="PATTERN", action="append", required=True, help=pattern)
    made.add_argument("--name", help="the name of the C functions; by default made from the folder's name")
    made.add_argument("--out", metavar="FOLDER", type=Path, help="the folder to write; by default the model's name")


def split(options: argparse.Namespace) -> int:
    """Returns the exit code."""
    from neuraltree.export.c.split_library import export_split, halves_of
    from neuraltree.export.names import check_name, name_from
    from neuraltree.export.writing import check_folder, write
    from neuraltree.tree.model_files import load
    from search.cli.chosen import chosen_path

    path = chosen_path(options.model, options)
    tree = load(path)
    halves = halves_of(tree, _matching(options.cut, tree.features))
    out = options.out or Path(name_from(options.model.absolute().stem))
    name = check_name(options.name or name_from(out.absolute().name))
    check_folder(out, (f"{name}.h",))
    files = export_split(halves, name)
    write(out, files)
    for file in files:
        print(f"{out / file}  {(out / file).stat().st_size:,} bytes")
    print("\n".join(_said(halves)))
    return DONE


def _matching(patterns: Sequence[str], features: Sequence[str]) -> list[str]:
    """The features that a pattern matches; ``ValueError`` for a pattern that matches none."""
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in features):
            raise ValueError(f"--cut {pattern} matches no input; the model has: {', '.join(features)}")
    return [name for name in features if any(fnmatchcase(name, pattern) for pattern in patterns)]


def _said(halves: Halves) -> list[str]:
    """What is sent, and what it costs on radio links."""
    from neuraltree.compress.exits.cascade import macs
    from neuraltree.compress.splitting.radio_links import LINKS

    counts = {what: sum(each.what == what for each in halves.sent) for what in ("sum", "value", "input")}
    parts = ", ".join(f"{count} {what}{'s' * (count > 1)}" for what, count in counts.items() if count)
    raw = len(set(halves.whole.inputs.features.tolist()) & set(halves.own))
    lines = [
        f"the node sends {halves.message_bytes} bytes a prediction ({parts}); its {raw} inputs would be {raw} bytes in "
        f"int8, {4 * raw} as floats",
        f"{macs(halves.node)} MACs on the node, {macs(halves.gateway)} on the gateway (the whole model: "
        f"{macs(halves.whole)})",
    ]
    for link in LINKS:
        sent, floats = (link.energy_j(size) for size in (halves.message_bytes, 4 * raw))
        lines.append(
            f"{link.name}: about {sent:.1g} J a message instead of {floats:.1g} J for floats, "
            f"{1e3 * link.duration_s(halves.message_bytes):.3g} ms ({link.certainty})"
        )
    return lines
