"""``python -m tools.gallery``: all pictures of some runs, and a page that shows how to draw them."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from neuraltree.cli.command import DONE, Parser, fail, fail_of_system, run_command
from search.errors import InputError

EPILOG = """examples:
  python -m tools.gallery                                        makes docs/gallery.md and docs/gallery/
  python -m tools.gallery results/mine --out pictures            makes pictures.md and pictures/

exit codes: 0 done, 2 bad input, 130 interrupted"""


def parser() -> Parser:
    made = Parser(
        prog="python -m tools.gallery",
        description="Draw every picture there is, and write the page that shows how to read and to draw them.",
        epilog=EPILOG,
    )
    made.add_argument("runs", metavar="RUN", type=Path, nargs="*", help="a run folder; without one, searches are run")
    made.add_argument("--out", metavar="FOLDER", type=Path, default=Path("docs/gallery"), help="default: docs/gallery")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    try:
        return _draw(parser().parse_args(argv))
    except InputError as error:
        return fail(str(error))
    except OSError as error:
        return fail_of_system(error)


def _draw(arguments: argparse.Namespace) -> int:
    import matplotlib

    from tools.gallery.draw import check_free, draw_all
    from tools.gallery.gallery_searches import search_all

    if not arguments.out.name:
        raise InputError("--out names no folder; name a new one, or one of pictures to replace")
    check_free(arguments.out)
    matplotlib.use("Agg")  # pyplot makes figures where no axes are given; here nobody looks at windows
    with ExitStack() as stack:
        runs = {str(run): run for run in arguments.runs}
        if not runs:
            runs = search_all(Path(stack.enter_context(tempfile.TemporaryDirectory())), _say)
        draw_all(runs, arguments.out, _say)
    return DONE


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    run_command(main)
