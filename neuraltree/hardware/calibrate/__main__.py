"""The command ``python -m neuraltree.hardware.calibrate``: refits a core's coefficients and writes a profile."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from neuraltree.cli.command import DONE, INTERRUPTED, Parser, fail, run_command, say
from neuraltree.compress.builds import BUILD_NAMES

EPILOG = """examples:
  python -m neuraltree.hardware.calibrate --device cortex-m4f
  python -m neuraltree.hardware.calibrate --device cortex-m4f --activation relu --out cortex-m4f.toml
  python -m neuraltree.hardware.calibrate --device cortex-m4f --narrow --out cortex-m4f.toml
  python -m neuraltree.hardware.calibrate --device my-board.toml --compiler gcc-Os --out my-board.toml
  python -m neuraltree.hardware.calibrate --device avr --compiler all --out avr.toml

The new entries replace the old entries of these compilers in the profile; everything else is kept, except comments.
Measured trees are kept in the user's cache folder: after an interruption the same command resumes where it stopped.
exit codes: 0 done, 2 bad input, 130 interrupted"""
LEAST_TREES = 40
ALL = "all"


def parser() -> Parser:
    made = Parser(
        prog="python -m neuraltree.hardware.calibrate",
        description="Compile and emulate random and trained trees, fit the cost model to them, and write a profile.",
        epilog=EPILOG,
    )
    made.add_argument("--device", required=True, help="a name from --list of neuraltree.hardware, or a profile file")
    made.add_argument(
        "--compiler", choices=(*BUILD_NAMES, ALL), default="clang", help="all: each that is installed here"
    )
    made.add_argument("--out", type=Path, metavar="FILE.toml", help="the profile to write; by default CORE.toml here")
    made.add_argument(
        "--activation", metavar="NAME", help="fit only the figures of this activation; all others stay as they are"
    )
    made.add_argument(
        "--narrow",
        action="store_true",
        help="fit only what formats below 8 bits change in int8 code; all others stay as they are",
    )
    made.add_argument(
        "--trees", type=int, default=210, help="number of trees to fit to; half as many more judge the fit"
    )
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    arguments = parser().parse_args(argv)
    try:
        from neuraltree.activations import NAMES, code_of
        from neuraltree.hardware.calibrate.profile_file import calibrate

        if arguments.trees < LEAST_TREES:
            raise ValueError(
                f"--trees {arguments.trees}: a fit of some 20 coefficients needs {LEAST_TREES} trees or more"
            )
        if arguments.narrow and arguments.activation:
            raise ValueError("--narrow and --activation fit different figures; give one of them")
        activation = arguments.activation and NAMES[code_of(arguments.activation)]
        wanted = None if arguments.compiler == ALL else arguments.compiler
        narrow = arguments.narrow
        print(calibrate(arguments.device, wanted, arguments.trees, arguments.out, activation, narrow=narrow))
        return DONE
    except BrokenPipeError:
        raise
    except (ValueError, OSError) as error:
        return fail(str(error))
    except KeyboardInterrupt:
        say("interrupted; the measurements so far are kept; resume with the same command")
        return INTERRUPTED


def _leave() -> int:
    code = main()
    if code == INTERRUPTED:
        sys.stdout.flush()
        os._exit(code)  # threads of the training still run and would crash while Python shuts down
    return code


if __name__ == "__main__":
    run_command(_leave)
