"""Tables on standard output."""

from __future__ import annotations

import sys
from typing import NoReturn

from rich.console import Console

from neuraltree.cli.command import plain

NARROWEST = 150  # columns of a table that is not printed on a terminal


class Output(Console):
    """Standard output: styled on a terminal that wants it, and wide where it is none."""

    def __init__(self) -> None:
        # Where there is no terminal rich cuts a table to 80 columns, which a file or a pipe has no need of.
        width = None if sys.stdout.isatty() else NARROWEST
        super().__init__(width=width, color_system=None if plain(sys.stdout) else "auto")

    def on_broken_pipe(self) -> NoReturn:
        """Rich would exit with 1; ``command.run_command`` has a code for it."""
        raise BrokenPipeError
