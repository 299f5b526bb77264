"""``python -m neuraltree.hardware.signals.calibration``: measure what streaming code costs on an emulated core."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from neuraltree.cli.command import DONE, INTERRUPTED, Parser, fail, run_command, say
from neuraltree.compress.builds import BUILD_NAMES
from neuraltree.hardware.measure.cores import CORES, Core
from neuraltree.hardware.signals.pushed import check_core
from neuraltree.hardware.signals.signal_figures import FOLDER, SignalFigures, file_name
from neuraltree.storing import store

EPILOG = """examples:
  python -m neuraltree.hardware.signals.calibration --core cortex-m4f
  python -m neuraltree.hardware.signals.calibration --core cortex-m0plus --compiler gcc-Os --out .

It takes five to fifteen minutes a core. exit codes: 0 done, 2 bad input, 130 interrupted"""


def parser() -> Parser:
    made = Parser(
        prog="python -m neuraltree.hardware.signals.calibration",
        description="Push samples into models on an emulated core, and write what functions and their calls cost.",
        epilog=EPILOG,
    )
    made.add_argument("--core", required=True, choices=list(CORES))
    made.add_argument("--compiler", choices=BUILD_NAMES, default="clang")
    made.add_argument("--models", type=int, default=24, help="random models, beside those of single features")
    made.add_argument("--out", type=Path, metavar="FOLDER", help="by default where the package keeps them")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    given = parser().parse_args(argv)
    folder = given.out or Path(__file__).parents[1] / FOLDER
    try:
        core = check_core(given.core, given.compiler)
        figures = calibrated(core, given.compiler, given.models)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / file_name(core.name, given.compiler)
        store({path: msgspec.json.format(msgspec.json.encode(figures), indent=1).decode() + "\n"})
        print(path)
        return DONE
    except (ValueError, OSError) as error:
        return fail(str(error))
    except KeyboardInterrupt:
        say("interrupted; nothing was written")
        return INTERRUPTED


def calibrated(core: Core, compiler: str, models: int) -> SignalFigures:
    """The figures of a core and a compiler."""
    from neuraltree.hardware.signals.calibration.signal_fit import fitted
    from neuraltree.hardware.signals.calibration.signal_plan import planned
    from neuraltree.hardware.signals.calibration.signal_records import record

    found = []
    for i, one in enumerate(planned(models)):
        say(f"model {i}")
        found.append((one.hard, record(one.model, core, compiler, one.samples, one.precision)))
    return fitted(found, core, compiler)


if __name__ == "__main__":
    run_command(main)
