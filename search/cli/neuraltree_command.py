"""The command ``neuraltree``: its subcommands, one row each."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, NoReturn

from neuraltree.cli.command import DONE, INTERRUPTED, Parser, fail, fail_of_system, run_command, say
from search.cli import answer_command, chosen, compress_command, fit_command, inspect_command, show_command
from search.cli.device_code import split_command
from search.cli.signals import play_command, signal_files
from search.errors import LOCKED, InputError, LockedError

RESUME = "resume it with: neuraltree run FOLDER --resume"


# For an option that is given, another that is then not taken from a run: it belongs to what is replaced.
BELONGING = {"--precision": "--style", "--style": "--precision", "--device": "--compiler"}


class Own(NamedTuple):
    """A subcommand of this module: what it does, its options, and what says more about it."""

    help: str
    run: Callable[[argparse.Namespace], int]
    options: tuple[Callable[[argparse.ArgumentParser], None], ...]
    epilog: str


class Shared(NamedTuple):
    """A subcommand that is the command of a module.

    ``model``: in place of a model file it takes the folder of a run, for its recommended model.
    """

    help: str
    module: str
    model: bool = False


COMMANDS: dict[str, Own | Shared] = {
    "inspect": Own(
        "what is in a table, what is wrong with it, and a config to start from",
        inspect_command.inspect,
        (inspect_command.add_options,),
        inspect_command.EPILOG,
    ),
    "fit": Own("search for small models of a table", fit_command.fit, (fit_command.add_options,), fit_command.EPILOG),
    "show": Own(
        "the front of a run, the recommended model and the verdict",
        show_command.show,
        (show_command.add_run, chosen.add_choice),
        show_command.EPILOG,
    ),
    "predict": Own(
        "answers for the rows of a file",
        answer_command.answer,
        (answer_command.add_options, chosen.add_choice),
        answer_command.EPILOG,
    ),
    "play": Own(
        "recordings played through a model of recordings, and how good its decisions are",
        play_command.play,
        (play_command.add_options,),
        play_command.EPILOG,
    ),
    "compress": Own(
        "smaller models cut out of a finished one, as a front",
        compress_command.compress,
        (compress_command.add_options,),
        compress_command.EPILOG,
    ),
    "export": Shared("a model as C, ONNX, Python, a formula or a drawing", "search.cli.export_command"),
    "split": Own(
        "a model in two halves, for a sensor node and its gateway, as C",
        split_command.split,
        (split_command.add_options, chosen.add_choice),
        split_command.EPILOG,
    ),
    "hardware": Shared("what a model costs on a device", "neuraltree.hardware.__main__", model=True),
    "report": Shared("the web page of a run, or of several", "search.report.__main__"),
    "run": Shared("a search from a config file", "search.run"),
    "worker": Shared("a helper of a run that was started with --workers folder", "search.worker"),
}
EPILOG = """commands:
{commands}

examples:
  neuraltree fit penguins.csv --target species --device rp2040 --flash 4k --time 60s --out penguins
  neuraltree show penguins
  neuraltree predict penguins new.csv --out answers.csv
  neuraltree export penguins --to c

neuraltree COMMAND --help says more about each."""


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    command = COMMANDS.get(given[0]) if given else None
    if command is None:
        parser = _parser()
        options = parser.parse_args(given)
        if options.command is None:
            parser.print_help()
            return DONE
        return fail(f"{options.command!r} is no command; allowed: {', '.join(COMMANDS)}; see neuraltree --help")
    try:
        if isinstance(command, Shared):
            return import_module(command.module).main(_of_model(given[1:]) if command.model else given[1:])
        return command.run(_own_parser(given[0], command).parse_args(given[1:]))
    except InputError as error:
        return max(map(fail, error.problems))
    except LockedError as error:
        return fail(str(error), LOCKED)
    except ValueError as error:
        return fail(str(error))
    except OSError as error:
        return fail_of_system(error, f"; if a run has begun, {RESUME}" if given[0] == "fit" else "")
    except KeyboardInterrupt:
        say(f"interrupted; if the run has begun, {RESUME}" if given[0] == "fit" else "interrupted")
        return INTERRUPTED


def _of_model(given: list[str]) -> list[str]:
    """The arguments; if the first is of a run, with what the run was searched for unless another is asked for: its
    device, build, inputs and code. A run folder stands for the file of its recommended model."""
    run = chosen.run_of(Path(given[0])) if given else None
    if given and run is None and signal_files.signal_file(Path(given[0])):
        raise ValueError(f"{given[0]} is of recordings; what such models cost stands in the table of their run")
    if run is None:
        return given
    found = chosen.member_of(Path(given[0]))
    settings = chosen.code_settings(run, found[1] if found else None)
    asked = {word.partition("=")[0] for word in given}
    settled = asked | {other for option, other in BELONGING.items() if option in asked}
    if not found and "--precision" not in settled and len(formats := chosen.formats_of_run(run)) > 1:
        raise ValueError(
            f"{given[0]}: each model of this run has a number format of its own; name one model, or add "
            f"--precision, as in --precision {formats[0]}"
        )
    if settings and not settled & set(settings) and chosen.exits_early(run):
        say("code of this run exits early and has its costs in front.csv; these are of code that computes everything")
    if signal_files.signal_file(Path(given[0])):
        say("costs of the tree alone; front.csv has those of the whole models of recordings, with their features")
    own = [f"{option}={word}" for option, words in settings.items() if option not in settled for word in words]
    return [str(found[1].path) if found else given[0], *given[1:], *own]


def _parser() -> Parser:
    rows = "\n".join(f"  {name:<9} {row.help}" for name, row in COMMANDS.items())
    made = Parser("neuraltree", "Search for small neural models that fit a device.", EPILOG.format(commands=rows))
    made.add_argument("command", metavar="COMMAND", nargs="?", help="see below")
    return made


def _own_parser(name: str, command: Own) -> Parser:
    text = command.help[0].upper() + command.help[1:]
    made = Parser(f"neuraltree {name}", f"{text}.", command.epilog)
    for add in command.options:
        add(made)
    return made


def run() -> NoReturn:
    """What the installed command calls."""
    run_command(main)
