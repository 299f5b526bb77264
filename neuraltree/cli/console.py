"""Standard output for tables: styled on a terminal, wide elsewhere."""

from __future__ import annotations

import sys
from typing import NoReturn

from rich.console import Console

from neuraltree.cli.command import plain

NARROWEST = 150  # columns of a table that is not printed on a terminal


class Output(Console):
    """Standard output: styled if it is a terminal that supports styles, and wide if it is no terminal."""

    def __init__(self) -> None:
        # Without a terminal, rich cuts a table to 80 columns, which a file or a pipe does not need.
        width = None if sys.stdout.isatty() else NARROWEST
        super().__init__(width=width, color_system=None if plain(sys.stdout) else "auto")

    def on_broken_pipe(self) -> NoReturn:
        """Rich would exit with code 1; ``command.run_command`` exits with a code of its own."""
        raise BrokenPipeError
