"""What the command lines share: exit codes, a parser, and errors in one line."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

DONE, BAD_INPUT, INTERRUPTED = 0, 2, 130


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, and whose epilogue keeps its lines."""

    def __init__(self, prog: str, description: str, epilog: str) -> None:
        layout = argparse.RawDescriptionHelpFormatter
        super().__init__(prog=prog, description=description, epilog=epilog, formatter_class=layout)

    def error(self, message: str) -> NoReturn:
        self.exit(fail(f"{message}; see {self.prog} --help"))


def fail(message: str, code: int = BAD_INPUT) -> int:
    """Say it in one line, whatever the names and values hold that it quotes: line ends, control characters, no text."""
    line = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in message)
    print(f"error: {line}", file=sys.stderr)
    return code
