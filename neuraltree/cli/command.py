"""What the command lines share: exit codes, a parser, errors in one line, plain output, and how to leave."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TextIO

DONE, BAD_INPUT, INTERRUPTED, CLOSED = 0, 2, 130, 141


class Parser(argparse.ArgumentParser):
    """An argument parser with ``--version``, whose errors are one line, and whose epilogue keeps its lines."""

    def __init__(self, prog: str, description: str, epilog: str) -> None:
        layout = argparse.RawDescriptionHelpFormatter
        super().__init__(prog=prog, description=description, epilog=epilog, formatter_class=layout)
        self.add_argument("--version", action=_Version, nargs=0, help="show the version of neuraltree and exit")

    def error(self, message: str) -> NoReturn:
        self.exit(fail(f"{message}; see {self.prog} --help"))


class _Version(argparse.Action):
    """The version is looked up when it is asked for: reading a package's metadata takes a while."""

    def __call__(self, parser: argparse.ArgumentParser, *unused: Any) -> NoReturn:
        import neuraltree

        print(f"neuraltree {neuraltree.__version__}")
        parser.exit(DONE)


def fail(message: str, code: int = BAD_INPUT) -> int:
    """Say it in one line, whatever the names and values hold that it quotes: line ends, control characters, no text."""
    line = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in message)
    say(f"error: {line}")
    return code


def say(text: str) -> None:
    """Write a line to standard error. A log that cannot be written, on a full disk, ends nothing; see ``run_command``
    for a reader that has gone."""
    try:
        print(text, file=sys.stderr, flush=True)
    except BrokenPipeError:
        raise
    except OSError:
        pass


def fail_of_system(error: OSError, hint: str = "") -> int:
    """Say what the system refused, and for which file. A reader that has gone is left to ``run_command``."""
    if isinstance(error, BrokenPipeError):
        raise error
    place = f"{error.filename}: " if error.filename is not None else ""
    return fail(f"{place}{error.strerror or error}{hint}")


def plain(stream: TextIO | None) -> bool:
    """Whether to write without escape codes: not to a terminal, to a dumb one, or NO_COLOR is set (no-color.org)."""
    return stream is None or not stream.isatty() or os.environ.get("TERM") == "dumb" or bool(os.environ.get("NO_COLOR"))


def run_command(main: Callable[[], int]) -> NoReturn:
    """Leave with the exit code of ``main``; Ctrl-C, and a reader that has gone (``| head -1``), end it without a
    traceback, with the codes that shells give to SIGINT and SIGPIPE."""
    _open_closed_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as of standard error: a name may not fit the encoding
    try:
        sys.exit(_flushed(main))
    except KeyboardInterrupt:
        say("interrupted")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        _drop_output()
        sys.exit(CLOSED)
    except OSError as error:  # such as results that go to a full disk
        code = fail_of_system(error)
        _drop_output()
        sys.exit(code)


def _drop_output() -> None:
    """What is still in the buffers would raise once more while Python is taken down."""
    for descriptor in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def _open_closed_streams() -> None:
    """Streams that the shell has closed (``2>&-``) lead nowhere from here on. Their numbers must not be left free:
    the next file that is opened would get one, and with it all that a library writes to that stream."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - the system takes the lowest number that is free


def _flushed(main: Callable[[], int]) -> int:
    try:
        return main()
    finally:  # also of --help, which leaves by SystemExit
        sys.stdout.flush()
