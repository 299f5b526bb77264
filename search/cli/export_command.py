"""``neuraltree export``: ``python -m neuraltree.export`` for a model of a run, with a card of the model beside it, and
in the code that was chosen for the model if the format is made of C."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from neuraltree.compress.formats import AUTO, input_spec
from neuraltree.export import __main__ as exporting
from neuraltree.export.targets import FORMATS
from search.cli.chosen import chosen_code, exits_early, inputs_of_run, member_of
from search.cli.signals.signal_export import export_signal_of
from search.cli.signals.signal_files import signal_file

if TYPE_CHECKING:
    from search.front import Member


MODEL = "a run folder, for its recommended model, or a model file; its code and inputs are by default those of the run"


def main(argv: Sequence[str]) -> int:
    """Returns the exit code."""
    made = exporting.parser(AUTO, prog="neuraltree export", model=MODEL)
    made.add_argument("--device", help="whose costs choose for auto; by default the device of the run")
    two = "the numbers of two models of the run, as 0,7: the small one answers, and the large one where it is unsure"
    made.add_argument("--cascade", metavar="N,M", help=f"{two}; C in int8")
    loss = "the share of right answers on training rows that a cascade may have less than its large model; by default 0"
    made.add_argument("--max-loss", metavar="SHARE", type=float, help=loss)
    target = "the column to predict in the table of --rows; by default that of the run, or the last"
    made.add_argument("--target", metavar="COLUMN", help=target)
    arguments = made.parse_args(argv)
    if arguments.cascade or arguments.max_loss is not None:
        from search.cli.device_code.cascade_export import export_cascade_of

        return export_cascade_of(arguments)
    if file := signal_file(arguments.model):
        return export_signal_of(arguments, file)
    found = member_of(arguments.model)
    if found is not None:
        arguments.model = found[1].path
    if "input" in FORMATS[arguments.to].options and not arguments.input and found:
        arguments.input = inputs_of_run(found[0]) or None
        if arguments.input and arguments.constants:
            raise ValueError(
                f"--constants: replaceable constants take float inputs, and the run has {' '.join(arguments.input)}: "
                "add --input float32"
            )
    if found and arguments.early_exit is None and _exits_early(arguments, found[0]):
        arguments.early_exit = True
    if arguments.target and not arguments.rows:
        raise ValueError("--target names a column of the table of --rows: add --rows TABLE")
    if "rows" in FORMATS[arguments.to].options and (arguments.update or arguments.rows):
        from search.cli.device_code.update_rows import rows_for_update

        arguments.rows = rows_for_update(arguments, found[0] if found else None)
    exporting.settle_exit(arguments)
    if "style" in FORMATS[arguments.to].options:
        _settle_code(arguments, found)
    if found is None:
        return exporting.export(arguments)
    run, member = found

    def with_card(folder: Path, name: str) -> None:
        from search.card import write_card

        for path in write_card(run, member, folder, name):
            print(f"{path}  {path.stat().st_size:,} bytes")
        if arguments.early_exit:
            from search.cli.device_code.training_rows import word_of_exit

            print(word_of_exit(run, member.tree()))

    return exporting.export(arguments, with_card)


def _exits_early(arguments: argparse.Namespace, run: Path) -> bool:
    """Whether the models of a run were searched for code with an early exit, and such code was not asked against."""
    given = (arguments.precision or "int8", arguments.style or "straight")
    takes = "early_exit" in FORMATS[arguments.to].options and not (arguments.constants or arguments.wide)
    return takes and given == ("int8", "straight") and exits_early(run)


def _settle_code(arguments: argparse.Namespace, found: tuple[Path, Member] | None) -> None:
    """Replace what is not given by the code of the member, and "auto" by the cheapest; see
    ``code_for_export.settled``."""
    given = [arguments.precision, arguments.style]
    own = chosen_code(*found) if found else ("", "")
    if not any((*given, *own)):
        return
    from search.cli.device_code.code_for_export import Asked, settled

    precision, style = (text or chosen for text, chosen in zip(given, own, strict=True))
    by_search = not any(given) and bool(found and found[1].precision)
    asked = Asked(precision or "float32", style or "straight", by_search=by_search)
    run = found[0] if found else None
    inputs = input_spec(arguments.input or ["float32"])
    arguments.precision, arguments.style = settled(asked, arguments.model, run, arguments.device, inputs)
