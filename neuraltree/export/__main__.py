"""The command ``python -m neuraltree.export``: writes a model file in another form."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from neuraltree.cli.command import DONE, Parser, fail, fail_of_system, run_command
from neuraltree.compress.formats import C_PRECISIONS, C_STYLES, INPUT_HELP
from neuraltree.export.targets import FORMATS, Format, Made
from neuraltree.export.writing import check_file, check_folder, write

STYLES_HELP = "straight-line code (by default), a table, or for integers a coded table: less flash, more time"
FORMATS_HELP = "the number format; by default float32. Below 8 bits: for C, smaller tables of large models"
EARLY = "classes in int8, straight style (which this sets): predict stops as soon as no other class is possible"
UPDATE_HELP = "c-train: train only the nodes that are worth it, with at most so many bytes of RAM for their training"
SELECT_HELP = "what chooses these nodes: output (by default without rows), gradient, velocity, evolved, random or full"
ROWS_HELP = "neuraltree export: the table whose rows say which nodes are worth it; by default the run's training rows"
OPTIONS = (
    *("name", "precision", "style", "wide", "input", "constants", "early_exit", "program", "digits"),
    *("update", "select", "rows"),  # of c-train
)

EPILOG = """formats and the options they take; --out is a folder or one file with the ending shown:
{formats}

without --out a text format goes to standard output; any other to a file or folder here with the model's name

onnx needs the package onnx, latex and text need sympy: pip install 'neuraltree[export]'

examples:
  python -m neuraltree.export results/quickstart/models/003.json --to c --out model
  python -m neuraltree.export 003.json --to c --precision int8 --style table --name iris --out iris
  python -m neuraltree.export 003.json --to c --precision int8 --input int16 --input temp=int16/100
  python -m neuraltree.export 003.json --to c --early-exit --name iris --out iris
  python -m neuraltree.export 003.json --to c --style table --constants --name iris --out iris
  python -m neuraltree.export 004.json --to constants --program iris/iris.h --out iris.bin
  python -m neuraltree.export 003.json --to c-train --name iris --out iris
  python -m neuraltree.export 003.json --to c-train --update 512B --name iris --out iris
  python -m neuraltree.export 003.json --to onnx --out iris.onnx
  python -m neuraltree.export 003.json --to latex --digits 3

exit codes: 0 done, 2 bad input, 130 interrupted"""


def parser(*more: str, prog: str = "python -m neuraltree.export", model: str = "a model file") -> Parser:
    """``more``: names that may stand for a number format or a style, for a caller that replaces them. ``prog``: the
    name of the command; ``model``: what it takes."""
    made = Parser(
        prog=prog,
        description="Write a model file in another form.",
        epilog=EPILOG.format(formats="\n".join(_described(to, row) for to, row in FORMATS.items())),
    )
    made.add_argument("model", metavar="MODEL", type=Path, help=model)
    made.add_argument("--to", required=True, choices=FORMATS, help="see below")
    made.add_argument("--precision", choices=(*C_PRECISIONS, *more), help=FORMATS_HELP)
    made.add_argument("--style", choices=(*C_STYLES, *more), help=STYLES_HELP)
    wide = "int8 regression: 16-bit values for the nodes that the output adds"
    made.add_argument("--wide", action="store_true", default=None, help=wide)
    made.add_argument("--input", metavar="TYPE", action="append", help=INPUT_HELP)
    block = "table style: the model's constants as one block that a program can replace, with version and checksum"
    made.add_argument("--constants", action="store_true", default=None, help=block)
    made.add_argument("--early-exit", action=argparse.BooleanOptionalAction, default=None, help=EARLY)
    made.add_argument("--program", metavar="HEADER.h", help="the header of the program that will read the constants")
    made.add_argument("--update", metavar="BYTES", help=UPDATE_HELP)
    made.add_argument("--select", metavar="SELECTOR", help=SELECT_HELP)
    made.add_argument("--rows", metavar="TABLE", help=ROWS_HELP)
    made.add_argument("--digits", type=int, help="significant digits of numbers in a formula, 1 to 17; by default 4")
    made.add_argument("--name", help="the name of the C functions; by default made from the folder's name")
    replaced = "the file or folder to write; an earlier export there is replaced, other files in a folder are kept"
    made.add_argument("--out", metavar="PATH", type=Path, help=replaced)
    return made


def _described(to: str, row: Format) -> str:
    options = " ".join(map(_shown, row.options))
    place = f"{', '.join(row.suffixes) or 'folder'}"
    return f"  {to:11} {place:10} {row.help}{f'; {options}' if options else ''}"


def _shown(option: str) -> str:
    return f"--{option.replace('_', '-')}"


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    return export(parser().parse_args(argv))


def export(arguments: argparse.Namespace, after: Callable[[Path, str], None] | None = None) -> int:
    """Returns the exit code. ``after(folder, name)`` is called when files have been written there."""
    try:
        return _export(arguments, after)
    except ValueError as error:  # the file is no tree, or the format cannot express the tree
        return fail(str(error))
    except OSError as error:
        return fail_of_system(error)


def _export(arguments: argparse.Namespace, after: Callable[[Path, str], None] | None) -> int:
    from neuraltree.compress.int8.losing import loses_much, word_of_loss
    from neuraltree.export.names import check_name, name_from
    from neuraltree.tree.model_files import load

    row = FORMATS[arguments.to]
    stem = arguments.model.stem
    out = arguments.out or Path(stem + row.suffixes[0] if row.suffixes else name_from(stem))
    check_place(arguments.to, row, out)
    settle_exit(arguments)
    options = _options(arguments.to, row, arguments)
    if isinstance(arguments.rows, str):
        raise ValueError("--rows: python -m neuraltree.export reads no tables; use neuraltree export")
    name = options.pop("name", None)
    name = check_name(name_from(out.absolute().stem if row.suffixes else out.absolute().name) if name is None else name)
    tree = load(arguments.model)
    made = row.make(tree, name, **options)
    if row.integers and arguments.precision == "int8" and loses_much(tree):
        print(f"{arguments.model}: {word_of_loss(tree)}", file=sys.stderr)
    if isinstance(made, str) and arguments.out is None:
        print(made, end="")
        return DONE
    folder = write_export(row, made, out, name)
    if after:
        after(folder, out.stem if row.suffixes else name)
    if row.then:
        print(row.then.format(folder=shlex.quote(str(folder)), file=shlex.quote(str(out)), name=name))
    return DONE


def settle_exit(arguments: argparse.Namespace) -> None:
    """Set the code that alone has an early exit, where none is given."""
    if arguments.early_exit:
        arguments.precision = arguments.precision or "int8"
        arguments.style = arguments.style or "straight"


def write_export(row: Format, made: Made, out: Path, name: str) -> Path:
    """Write an export, and print its files. Returns their folder."""
    folder, files = (out, made) if isinstance(made, dict) else (out.parent, {out.name: made})
    if isinstance(made, dict):
        check_folder(out, tuple(head.format(name=name) for head in row.heads))
    else:
        check_file(out, made, marked=row.marked)
    write(folder, files)
    for file in files:
        print(f"{folder / file}  {(folder / file).stat().st_size:,} bytes")
    return folder


def check_place(to: str, row: Format, out: Path) -> None:
    """``ValueError`` if --out has the name of a file for a format that writes a folder, or the other way round."""
    if row.suffixes and out.suffix not in row.suffixes:
        raise ValueError(f"--to {to} writes one file, and {out} does not end in {' or '.join(row.suffixes)}")
    endings = {".c", ".h", *(suffix for other in FORMATS.values() for suffix in other.suffixes)}
    if not row.suffixes and out.suffix in endings and not out.is_dir():
        raise ValueError(f"{out} is not a folder's name; --to {to} writes a folder of files, so name a folder")


def _options(to: str, row: Format, arguments: argparse.Namespace) -> dict[str, Any]:
    """The options given; ``ValueError`` for one that the format does not take."""
    given = {option: getattr(arguments, option) for option in OPTIONS if getattr(arguments, option) is not None}
    for option, value in given.items():
        if option not in row.options:
            taken = ", ".join(map(_shown, row.options)) or "none"
            raise ValueError(f"--to {to} takes no {_shown(option)}; its options: {taken}")
        if row.options[option] and value not in row.options[option]:
            raise ValueError(f"--to {to} takes --{option} {' or '.join(row.options[option])} only, not {value}")
    return given


if __name__ == "__main__":
    run_command(main)
