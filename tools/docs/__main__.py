"""``python -m tools.docs``: write the pages of docs/ that come from the code, and the picture of the forest.

In this checkout also the activations in the published schema, and the table of examples/.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

from neuraltree.cli.command import DONE, Parser, fail, fail_of_system, run_command
from neuraltree.storing import store

EPILOG = """examples:
  python -m tools.docs
  python -m tools.docs --out /tmp/docs

exit codes: 0 done, 2 bad input, 130 interrupted"""


def pages() -> dict[str, Callable[[], str]]:
    """The function that writes each page."""
    from tools.docs.configuration import configuration
    from tools.docs.reference_tables import tables

    return {"configuration.md": configuration, "tables.md": tables}


def parser() -> Parser:
    made = Parser(
        prog="python -m tools.docs",
        description="Write the pages of docs/ that come from the tables in the code.",
        epilog=EPILOG,
    )
    made.add_argument(
        "--out", metavar="FOLDER", type=Path, default=Path("docs"), help="the folder to write into, by default docs"
    )
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    folder: Path = parser().parse_args(argv).out
    if not folder.is_dir():
        return fail(f"{folder} is not a folder; run this in a checkout, or give --out one")
    try:
        _write(folder)
    except OSError as error:
        return fail_of_system(error)
    return DONE


def _write(folder: Path) -> None:
    from tools.docs import penguins
    from tools.docs.forest_picture import draw
    from tools.docs.model_schema import FILE, schema

    for name, write in pages().items():
        store({folder / name: write().encode()})
        print(folder / name)
    picture = io.BytesIO()
    draw().savefig(picture, format="png", dpi=110, metadata={"Software": None})
    store({folder / "forest.png": picture.getvalue()})
    print(folder / "forest.png")
    if folder.resolve() == FILE.parents[2] / "docs":  # these belong to this checkout
        for path, text in ((FILE, schema()), (penguins.FILE, penguins.text())):
            store({path: text.encode()})
            print(path)


if __name__ == "__main__":
    run_command(main)
