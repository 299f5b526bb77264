"""A model of recordings as streaming C."""

from __future__ import annotations

import argparse
from pathlib import Path

from neuraltree.export.__main__ import check_place, write_export
from neuraltree.export.targets import FORMATS
from search.cli.signals.signal_files import precision_of, signal_model_of

TAKEN = ("precision", "style", "name", "out")


def export_signal_of(arguments: argparse.Namespace, file: Path) -> int:
    """Returns the exit code; ``ValueError`` for another target, or for options that streaming code does not take."""
    from neuraltree.cli.command import DONE
    from neuraltree.export.names import check_name, name_from
    from neuraltree.export.signals.packages.signal_targets import SIGNAL_TARGETS
    from neuraltree.signals.one_class import OneClassModel

    if arguments.to not in SIGNAL_TARGETS:
        raise ValueError(f"--to {arguments.to}: a model of recordings is exported as {', '.join(SIGNAL_TARGETS)}")
    given = [name for name in vars(arguments) if getattr(arguments, name) not in (None, False, [])]
    if other := [name for name in given if name not in (*TAKEN, "to", "model")]:
        option, taken = other[0].replace("_", "-"), ", ".join(f"--{one}" for one in TAKEN)
        raise ValueError(f"--{option}: streaming code takes {taken}")
    path, model = signal_model_of(file)
    if isinstance(model, OneClassModel) and arguments.to != "c":
        raise ValueError(f"--to {arguments.to}: a model of one class is exported as c")
    run = path.absolute().parent.parent
    asked = arguments.name or (name_from(arguments.out.absolute().name) if arguments.out else name_from(run.name))
    name = check_name(asked)
    row, out = FORMATS[arguments.to], arguments.out or Path(f"{name}_{arguments.to}")  # the run has its own name
    check_place(arguments.to, row, out)
    precision = arguments.precision or precision_of(path)
    target = SIGNAL_TARGETS[arguments.to]
    made = target.make(model, name, precision=precision, style=arguments.style or "straight")
    folder = write_export(row, made, out, name)
    print(target.then.format(folder=folder, name=name))
    return DONE
