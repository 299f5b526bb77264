"""The command ``python -m neuraltree.hardware``: the list of devices, and predicted or measured costs of models."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from neuraltree.cli.command import DONE, INTERRUPTED, Parser, fail, run_command, say
from neuraltree.compress.builds import BUILD_NAMES
from neuraltree.compress.formats import AUTO, C_PRECISIONS, C_STYLES, INPUT_HELP, MAX_SCORE_LOSS, input_spec

if TYPE_CHECKING:
    from rich.console import Console

EPILOG = """examples:
  python -m neuraltree.hardware --list
  python -m neuraltree.hardware results/mine/models --device stm32f407 --precision int8 --style table
  python -m neuraltree.hardware results/mine/models/003.json --device my-board.toml --breakdown
  python -m neuraltree.hardware results/mine/models --device rp2040 --precision int8 --measure
  python -m neuraltree.hardware results/mine/models --device rp2040 --precision auto --style auto

exit codes: 0 done, 2 bad input, 130 interrupted"""


def parser() -> Parser:
    made = Parser(
        prog="python -m neuraltree.hardware",
        description="List the devices, or predict the costs of models on one and measure them on its emulated core.",
        epilog=EPILOG,
    )
    made.add_argument("paths", type=Path, nargs="*", metavar="PATH", help="a model file, or a folder of them")
    made.add_argument("--list", action="store_true", help="show the devices that come with the package")
    made.add_argument(
        "--device",
        help="a name from --list, or a profile file ending in .toml; neuraltree hardware takes that of a run",
    )
    cheapest = "; auto: for each model the cheapest"
    exact = f"{cheapest} that loses no more than {MAX_SCORE_LOSS:g} of its score"
    number = f"by default float32{exact}; below 8 bits only some devices have figures"
    made.add_argument("--precision", choices=(*C_PRECISIONS, AUTO), default="float32", help=number)
    made.add_argument("--style", choices=(*C_STYLES, AUTO), default="straight", help=f"by default straight{cheapest}")
    made.add_argument("--compiler", choices=BUILD_NAMES, default="clang")
    made.add_argument("--input", metavar="TYPE", action="append", help=INPUT_HELP)
    made.add_argument("--measure", action="store_true", help="also compile the models and run them on an emulated core")
    made.add_argument(
        "--probabilities", action="store_true", help="show what the probabilities of classes add to latency and flash"
    )
    made.add_argument("--breakdown", action="store_true", help="show how much each part of a model adds to each cost")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    arguments = parser().parse_args(argv)
    from neuraltree.cli.console import Output

    console = Output()
    try:
        return _list(console) if arguments.list else _predict(arguments, console)
    except ValueError as error:
        return fail(str(error))
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED


def _list(console: Console) -> int:
    from neuraltree.hardware.profile.device_list import device_table

    console.print(device_table())
    return DONE


def _predict(arguments: argparse.Namespace, console: Console) -> int:
    from neuraltree.hardware.choice import candidates
    from neuraltree.hardware.choice_words import word_of_code, word_of_codes
    from neuraltree.hardware.dominated_code import words_on_dominated
    from neuraltree.hardware.predict import cost_table, model_files, predict, term_table, word_on_probabilities
    from neuraltree.hardware.profile.devices import Code
    from neuraltree.hardware.profile.load import load_device
    from neuraltree.tree.model_files import load

    if not arguments.paths or not arguments.device:
        raise ValueError("name models and a --device, or ask for --list; see python -m neuraltree.hardware --help")
    inputs = input_spec(arguments.input or ["float32"])
    device = load_device(arguments.device)
    code = Code(arguments.precision, arguments.style, device.build(arguments.compiler))
    candidates(code, device)  # refuses a code without figures before a file is read
    paths = model_files(arguments.paths)
    predictions = [predict(path, device, code, inputs) for path in paths]
    title, codes = f"{device.title}: {' '.join(code)}", [row.decision.code for row in predictions]
    if arguments.measure:
        from neuraltree.hardware.compare import comparison_table, measure_files

        console.print(comparison_table(predictions, measure_files(paths, device, codes, inputs), title))
    if arguments.probabilities or not arguments.measure:
        console.print(cost_table(predictions, f"{title}, predicted", probabilities=arguments.probabilities))
    for prediction in predictions if arguments.breakdown else ():
        console.print(term_table(prediction))
    trees = [load(path) for path in paths]
    if AUTO in code:
        words = [word_of_code(row.decision, device, tree) for row, tree in zip(predictions, trees, strict=True)]
        console.print(words[0] if len(words) == 1 else word_of_codes([row.decision for row in predictions]))
    if arguments.probabilities and not any(row.probabilities for row in predictions):
        say(f"what probabilities add is not known: {word_on_probabilities(trees, device)}")
    for word in words_on_dominated(code, device, trees, inputs):
        say(word)
    return DONE


if __name__ == "__main__":
    run_command(main)
