"""The command ``python -m neuraltree.hardware.nets``: the sizes of reference networks, the memory and cuts of one."""

from __future__ import annotations

import argparse
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from neuraltree.cli.command import DONE, INTERRUPTED, Parser, fail, fail_of_system, run_command, say
from neuraltree.hardware.model.layer_network import network
from neuraltree.hardware.nets.fast_convolutions import fast_products
from neuraltree.hardware.nets.reference_nets import NETS
from neuraltree.hardware.nets.structured_cut import SHARES, can_be_cut, without_channels

if TYPE_CHECKING:
    from rich.table import Table

EPILOG = """examples:
  python -m neuraltree.hardware.nets
  python -m neuraltree.hardware.nets --memory mobilenet-v2 --picture memory.png
  python -m neuraltree.hardware.nets --cut resnet-18

exit codes: 0 done, 2 bad input, 130 interrupted"""


def parser() -> Parser:
    made = Parser(
        prog="python -m neuraltree.hardware.nets",
        description="Print the sizes of reference networks, draw the memory that each layer of one needs, or print the "
        "sizes that are left of one by structured pruning.",
        epilog=EPILOG,
    )
    made.add_argument("--memory", choices=tuple(NETS), metavar="NET", help=f"the network to draw: {', '.join(NETS)}")
    made.add_argument("--picture", type=Path, metavar="FILE", help="the PNG file to write the drawing to")
    cuttable = tuple(name for name, net in NETS.items() if can_be_cut(net.layers()))
    text = f"the network whose residual blocks lose channels: {', '.join(cuttable)}"
    made.add_argument("--cut", choices=cuttable, metavar="NET", help=text)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    arguments = parser().parse_args(argv)
    try:
        if arguments.memory or arguments.picture:
            return _draw(arguments)
        from neuraltree.cli.console import Output

        Output().print(_cuts(arguments.cut) if arguments.cut else _sizes())
        return DONE
    except ValueError as error:
        return fail(str(error))
    except OSError as error:
        return fail_of_system(error)
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED


def _sizes() -> Table:
    from rich.table import Table

    table = Table(
        "network", "input", "weights", "without classifier", "MACs", "Winograd", "activations", "peak, int8 KiB"
    )
    for name, net in NETS.items():
        counts, features = net.counts(), net.counts(classifier=False).parameters
        numbers = (
            *(counts.parameters, features, counts.macs, fast_products(counts)),
            *(counts.total_activations, counts.peak_activations // 1024),
        )
        table.add_row(name, "x".join(map(str, net.input_shape)), *(f"{number:,}" for number in numbers))
    return table


def _cuts(name: str) -> Table:
    from rich.table import Table

    table = Table(f"{name}, channels left out", "weights", "float32 MB", "int8 MB", "MACs")
    for share in SHARES:
        counts = network(without_channels(NETS[name].layers(), share), NETS[name].input_shape)
        sizes = (f"{width * counts.parameters / 1e6:.1f}" for width in (4, 1))
        table.add_row(f"{share:.0%}", f"{counts.parameters:,}", *sizes, f"{counts.macs:,}")
    return table


def _draw(arguments: argparse.Namespace) -> int:
    if not (arguments.memory and arguments.picture):
        raise ValueError("name both a network and a file, as in --memory mobilenet-v2 --picture memory.png")
    from matplotlib.figure import Figure

    from neuraltree.hardware.nets.memory_picture import plot_memory
    from neuraltree.storing import store

    figure = Figure(figsize=(7.2, 3.6), layout="constrained")
    plot_memory(NETS[arguments.memory].counts(), arguments.memory, figure.subplots())
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110, metadata={"Software": None})
    store({arguments.picture: content.getvalue()})
    say(str(arguments.picture))
    return DONE


if __name__ == "__main__":
    run_command(main)
