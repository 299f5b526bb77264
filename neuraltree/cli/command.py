"""The parts that all commands share: exit codes, the parser, one-line errors, plain output, and leaving."""

from __future__ import annotations

import argparse
import atexit
import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TextIO

DONE, BAD_INPUT, INTERRUPTED, CLOSED = 0, 2, 130, 141


class Parser(argparse.ArgumentParser):
    """An argument parser with ``--version``, one-line errors, and an epilogue that keeps its line breaks."""

    def __init__(self, prog: str, description: str, epilog: str) -> None:
        layout = argparse.RawDescriptionHelpFormatter
        super().__init__(prog=prog, description=description, epilog=epilog, formatter_class=layout)
        self.add_argument("--version", action=_Version, nargs=0, help="show the version and the engine, and exit")

    def error(self, message: str) -> NoReturn:
        self.exit(fail(f"{message}; see {self.prog} --help"))


class _Version(argparse.Action):
    """Looks the version and the engine up only on demand, because that is slow."""

    def __call__(self, parser: argparse.ArgumentParser, *unused: Any) -> NoReturn:
        import neuraltree
        from neuraltree.engine.lowering import engine_name

        print(f"neuraltree {neuraltree.__version__}, engine: {engine_name()}")
        parser.exit(DONE)


def fail(message: str, code: int = BAD_INPUT) -> int:
    """Print an error in one line, even if it quotes line ends, control characters or invalid text; return ``code``."""
    line = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in message)
    say(f"error: {line}")
    return code


def say(text: str) -> None:
    """Write a line to standard error.

    A failed write, as to a full disk, is ignored. If the reader closed the pipe, ``BrokenPipeError`` goes on to
    ``run_command``.
    """
    try:
        print(text, file=sys.stderr, flush=True)
    except BrokenPipeError:
        raise
    except OSError:
        pass


def fail_of_system(error: OSError, hint: str = "") -> int:
    """Print the system's error and its file. A ``BrokenPipeError`` is raised again, for ``run_command``."""
    if isinstance(error, BrokenPipeError):
        raise error
    place = f"{error.filename}: " if error.filename is not None else ""
    return fail(f"{place}{error.strerror or error}{hint}")


def plain(stream: TextIO | None) -> bool:
    """Whether to write without escape codes: to no terminal, to a dumb one, or if NO_COLOR is set (no-color.org)."""
    return stream is None or not stream.isatty() or os.environ.get("TERM") == "dumb" or bool(os.environ.get("NO_COLOR"))


def run_command(main: Callable[[], int]) -> NoReturn:
    """Run ``main`` and exit with its code.

    Ctrl-C, and a reader that closes the pipe (``| head -1``), end the command without a traceback, with the exit codes
    that shells use for SIGINT and SIGPIPE. Ctrl-C while Python exits ends it at once, with the same code.
    """
    _open_closed_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as on standard error: a name may not fit the encoding
    atexit.register(_ignore_interrupts)  # what is registered first runs last
    try:
        code = _code(main)
    except KeyboardInterrupt:  # one more, while the first was told
        code = INTERRUPTED
    finally:
        _drop_messages()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda *_: os._exit(code))
    sys.exit(code)


def _code(main: Callable[[], int]) -> int:
    try:
        return _flushed(main)
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return CLOSED
    except OSError as error:  # for example, results written to a full disk
        code = fail_of_system(error)
        _drop_output()
        return code


def _ignore_interrupts() -> None:
    """The rest of the exit takes milliseconds, and Python no longer calls handlers there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _drop_messages() -> None:
    """Drop the messages that standard error did not take: Python would exit with code 120 because of them."""
    try:
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _drop_output() -> None:
    """Redirect the output to nowhere: the rest of the buffers would raise once more while Python exits."""
    for descriptor in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def _open_closed_streams() -> None:
    """Open the null device for streams that the shell has closed (``2>&-``).

    Otherwise the next opened file would get the number of such a stream, and all that a library writes to it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - the system takes the lowest free number


def _flushed(main: Callable[[], int]) -> int:
    try:
        return main()
    finally:  # also after --help, which raises SystemExit
        sys.stdout.flush()
