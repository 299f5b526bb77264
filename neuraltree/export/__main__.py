"""``python -m neuraltree.export``: a model file as code."""

from __future__ import annotations

import argparse
import os
import secrets
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from neuraltree.command import DONE, Parser, fail

if TYPE_CHECKING:
    from neuraltree.model import Tree

MARK = "Written by neuraltree"  # in the header of every export

EPILOG = """examples:
  python -m neuraltree.export results/quickstart/models/003.json --to c --out model
  python -m neuraltree.export 003.json --to c --precision int8 --style table --name iris --out iris
  python -m neuraltree.export 003.json --to c-train --name iris --out iris

exit codes: 0 done, 2 bad input"""


def to_c(tree: Tree, name: str, arguments: argparse.Namespace) -> tuple[dict[str, str], str]:
    """The files of an export by name, and what to do with them."""
    from neuraltree.export.c import export_c

    files = export_c(tree, name, precision=arguments.precision, style=arguments.style, fine=arguments.wide)
    return files, f"cc -std=c99 -I. {name}.c test/{name}_test.c -o check && ./check"


def to_training(tree: Tree, name: str, arguments: argparse.Namespace) -> tuple[dict[str, str], str]:
    """The files of training on the device, which is in float32 by a table whatever the other options say."""
    from neuraltree.export.c_train import export_training

    if arguments.precision != "float32" or arguments.wide:
        raise ValueError("training is exported in float32 only; leave out --precision and --wide")
    files = export_training(tree, name)
    return files, f"cc -std=c99 -I. {name}_train.c test/{name}_train_test.c -o check && ./check"


# What --to can be: each writes a tree as files.
FORMATS: dict[str, Callable[[Tree, str, argparse.Namespace], tuple[dict[str, str], str]]] = {
    "c": to_c,
    "c-train": to_training,
}


def parser() -> Parser:
    made = Parser(
        prog="python -m neuraltree.export",
        description="Write a model file as code that needs no library.",
        epilog=EPILOG,
    )
    made.add_argument("model", metavar="MODEL.json", type=Path, help="a model file")
    made.add_argument("--to", required=True, choices=FORMATS, help="C99 that predicts, or that trains on the device")
    made.add_argument("--precision", choices=("float32", "int8"), default="float32", help="by default float32")
    made.add_argument(
        "--style", choices=("straight", "table"), default="straight", help="straight-line code (by default) or a table"
    )
    made.add_argument("--wide", action="store_true", help="int8 regression: 16-bit values where the output adds them")
    made.add_argument("--name", help="of the C functions; by default made of the folder's")
    made.add_argument("--out", metavar="FOLDER", type=Path, required=True, help="new, empty, or of an earlier export")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    arguments = parser().parse_args(argv)
    try:
        return _export(arguments)
    except ValueError as error:  # of a file that is no tree, and of a tree that cannot be said in the format
        return fail(str(error))
    except OSError as error:
        return fail(f"{error.filename or arguments.out}: {error.strerror or error}")


def _export(arguments: argparse.Namespace) -> int:
    from neuraltree.export.names import check_name, name_from
    from neuraltree.files import load

    folder: Path = arguments.out
    name = check_name(name_from(folder.absolute().name) if arguments.name is None else arguments.name)
    tree = load(arguments.model)
    files, check = FORMATS[arguments.to](tree, name, arguments)
    _check_free(folder, (f"{name}.h", f"{name}_train.h"))
    write(folder, files)
    for file, text in files.items():
        print(f"{folder / file}  {len(text.encode()):,} bytes")
    print(f"to check it: cd {shlex.quote(str(folder))} && {check}")
    return DONE


def _check_free(folder: Path, headers: tuple[str, ...]) -> None:
    """``ValueError`` unless the folder is new or empty, or holds an export of the same name."""
    if not folder.is_dir():
        if folder.exists():
            raise ValueError(f"{folder} is not a folder; give --out a new one")
        return
    old = [path.read_text("utf-8", errors="replace") for path in map(folder.joinpath, headers) if path.is_file()]
    if any(folder.iterdir()) and not any(MARK in text for text in old):
        raise ValueError(
            f"{folder} is not empty and holds no earlier export ({' or '.join(headers)} of ours); give --out a new "
            "folder, or --name the earlier name"
        )


def write(folder: Path, files: dict[str, str]) -> None:
    """Write files into a folder, made if need be. A reader sees an old file or the new one, never a part."""
    temporary: dict[Path, Path] = {}
    try:
        for name, text in files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary[target] = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
            temporary[target].write_text(text, encoding="utf-8", newline="\n")
        for target, written in temporary.items():
            os.replace(written, target)  # noqa: PTH105
    finally:
        for written in temporary.values():
            written.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
