"""``neuraltree split``: a model as C for a sensor node and its gateway, and what is sent between them."""

from __future__ import annotations

import argparse
import shlex
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
  neuraltree split results/mine/models/003.json --cut "accel*" --input int16/100 --input button=uint8 --out halves

The node computes what its inputs alone decide, and sends the fewest bytes with which the gateway, which has the other
inputs, gives the answer of the whole model in int8, bit for bit. --cut names the inputs of the node; a column goes to
one side with its levels and with what stands in for its missing cells.

exit codes: 0 done, 2 bad input"""
CHECK = (
    "to check it: cd {folder} && cc -std=c99 -I. {name}.c {name}_node.c {name}_gateway.c test/{name}_test.c -o check "
    "&& ./check"
)


def add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("model", metavar="MODEL", type=Path, help="the folder of a run, or a model file")
    made.add_argument("--at", choices=("features",), default="features", help="where to cut: between owners of inputs")
    pattern = "an input of the node, or a pattern of several, as accel*; may be repeated"
    made.add_argument("--cut", metavar="PATTERN", action="append", required=True, help=pattern)
    taken = "what goes into C, as for neuraltree export: int16, uint8, int16/100, COLUMN=TYPE for one column; may be "
    taken += "repeated; by default as the run of the model has it"
    made.add_argument("--input", metavar="TYPE", action="append", help=taken)
    made.add_argument("--name", help="the name of the C functions; by default made from the folder's name")
    made.add_argument("--out", metavar="FOLDER", type=Path, help="the folder to write; by default the model's name")


def split(options: argparse.Namespace) -> int:
    """Returns the exit code."""
    from neuraltree.compress.formats import input_spec
    from neuraltree.export.c.two_devices.split_library import export_split, halves_of, owned_names
    from neuraltree.export.names import check_name, name_from
    from neuraltree.export.writing import check_folder, write
    from neuraltree.tree.model_files import load
    from search.cli.chosen import chosen_path, inputs_of_run, run_of

    path = chosen_path(options.model, options)
    tree, run = load(path), run_of(path)
    inputs = input_spec(options.input or (inputs_of_run(run) if run else []) or ["float32"])
    halves = halves_of(tree, _matching(options.cut, owned_names(tree)), inputs=inputs)
    out = options.out or Path(name_from(options.model.absolute().stem))
    name = check_name(options.name or name_from(out.absolute().name))
    check_folder(out, (f"{name}.h",))
    files = export_split(halves, name)
    write(out, files)
    for file in files:
        print(f"{out / file}  {(out / file).stat().st_size:,} bytes")
    print("\n".join(_said(halves)))
    print(CHECK.format(folder=shlex.quote(str(out)), name=name))
    return DONE


def _matching(patterns: Sequence[str], names: Sequence[str]) -> list[str]:
    """The names that a pattern matches; ``ValueError`` for a pattern that matches none."""
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise ValueError(f"--cut {pattern} matches no input; the model has: {', '.join(names)}")
    return [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]


def _said(halves: Halves) -> list[str]:
    """What is sent, and what it costs on radio links."""
    from neuraltree.compress.splitting.radio_links import LINKS
    from neuraltree.export.c.two_devices.sides import sides_of

    counts = {what: sum(each.what == what for each in halves.sent) for what in ("sum", "value", "input")}
    parts = ", ".join(f"{count} {what}{'s' * (count > 1)}" for what, count in counts.items() if count)
    node = sides_of(halves, "model")[0]
    raw = node.raw_bytes
    lines = [
        f"the node sends {halves.message_bytes} bytes a prediction ({parts}); its {len(raw)} inputs would be "
        f"{len(node.stage.features)} bytes in int8, {sum(raw)} as they are",
        f"{halves.macs[0]} MACs on the node, {halves.macs[1]} on the gateway",
    ]
    for link in LINKS:
        sent, given = (link.energy_j(size) for size in (halves.message_bytes, sum(raw)))
        lines.append(
            f"{link.name}: about {_microjoules(sent)} a message instead of {_microjoules(given)} for the inputs as "
            f"they are, {1e3 * link.duration_s(halves.message_bytes):,.0f} ms ({link.certainty})"
        )
    return lines


def _microjoules(energy_j: float) -> str:
    """With one digit, as no more is known."""
    return f"{float(f'{1e6 * energy_j:.1g}'):,g} µJ"
