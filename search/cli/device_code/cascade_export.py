"""``neuraltree export RUN --to c --cascade N,M``: two models of a front in one library."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neuraltree.cli.command import DONE
from neuraltree.export import __main__ as exporting
from neuraltree.export.names import check_name, name_from
from neuraltree.export.targets import FORMATS
from search.cli.chosen import exits_early, front_of, hardware_of, inputs_of_run
from search.cli.device_code.training_rows import training_rows

if TYPE_CHECKING:
    from neuraltree.compress.exits.cascade import Cascade
    from search.front import Front

CHECK = (
    "to check both models: cd {folder} && for part in small large; do cc -std=c99 -I. {name}_$part.c "
    "test/{name}_${{part}}_test.c -o check && ./check; done"
)
ALONE = ("wide", "constants", "program", "digits")  # options that do not go with a cascade


def export_cascade_of(arguments: argparse.Namespace) -> int:
    """Write the cascade, and print which rows chose its limit, and what it costs. Returns the exit code."""
    from neuraltree.export.c.cascade_library import export_cascade

    _check_options(arguments)
    run: Path = arguments.model
    front = front_of(run)
    numbers = sorted(_numbers(arguments.cascade, len(front)), key=lambda i: front[i].weights)
    out = arguments.out or Path(name_from(run.absolute().name))
    exporting.check_place("c", FORMATS["c"], out)
    name = check_name(arguments.name or name_from(out.absolute().name))
    inputs = _one_type(arguments.input or inputs_of_run(run))
    early = bool(arguments.early_exit) if arguments.early_exit is not None else exits_early(run)
    made = _made(run, front, numbers, inputs, arguments.max_loss or 0.0)
    files = export_cascade(made.cascade, name, inputs=inputs, early_exit=early, chosen_on=made.chosen_on)
    exporting.write_export(FORMATS["c"], files, out, name)
    for line in (made.said, *_costs_said(run, made.cascade, inputs, early)):
        print(line)
    print(CHECK.format(folder=shlex.quote(str(out)), name=name))
    return DONE


class _Made(NamedTuple):
    """A cascade, the rows that chose its limit, and what it does on them."""

    cascade: Cascade
    chosen_on: str
    said: str


def _made(run: Path, front: Front, numbers: Sequence[int], inputs: str, max_loss: float) -> _Made:
    """By the answers for held-out rows that the run keeps; else on training rows."""
    from neuraltree.compress.exits.cascade import Held, logit_of_score
    from neuraltree.compress.input_types import as_inputs
    from neuraltree.export.c.cascade_library import cascade_of, held_out_cascade_of
    from search.folder.records import RunFolder
    from search.judge.answers import load_answers

    first, second = numbers
    small, large = (front[i].tree() for i in numbers)
    found = load_answers(RunFolder(run))
    if found is not None and len(found.codes) == len(front):
        held = Held(found.codes[first], found.margins[first], found.codes[second])
        cascade = held_out_cascade_of(small, large, held, found.truth, inputs=inputs, max_loss=max_loss)
        passed = held.margins < cascade.least * logit_of_score(cascade.small)
        of_both, truth = np.where(passed, held.large, held.small), found.truth
        rows, right = f"{len(truth)} answers for rows that the models were not fitted to", held.large == truth
    else:
        X, truth = training_rows(run, large)
        cascade = cascade_of(small, large, X, truth, inputs=inputs, max_loss=max_loss)
        q = cascade.quantize(as_inputs(small, X, inputs))
        passed, of_both = cascade.passed(as_inputs(small, X, inputs)), cascade.predict_q(q)
        rows = f"{len(truth)} training rows, on which the large model looks better than it is"
        right = cascade.large.predict_q(cascade.large.quantize(as_inputs(small, X, inputs))) == truth
    said = (
        f"the limit was chosen on {rows}: the large model is asked for {passed.mean():.1%}; right answers "
        f"{(of_both == truth).mean():.4f} (large model alone: {right.mean():.4f}); other rows may differ"
    )
    return _Made(cascade, rows, said)


def _costs_said(run: Path, cascade: Cascade, inputs: str, early: bool) -> list[str]:
    """What the cascade costs on the training rows: MACs, and on the device of the run, time."""
    from neuraltree.compress.exits.cascade import macs
    from neuraltree.compress.exits.early_exit import early_exit_of
    from neuraltree.compress.input_types import as_inputs
    from neuraltree.hardware.exiting import cascade_latency
    from neuraltree.hardware.profile.devices import Code
    from neuraltree.hardware.profile.load import load_device
    from search.errors import InputError

    small, large = cascade.small, cascade.large
    try:
        X, _ = training_rows(run, large.source)
    except InputError as error:
        return [f"what the cascade costs on the training rows is not known: {error}"]
    numbers = as_inputs(small.source, X, inputs)
    passed, alone = cascade.passed(numbers), macs(large)
    exits = early_exit_of(large) if early else None
    asked = float(alone) if exits is None or not passed.any() else exits.mean_macs(numbers[passed])
    mean = macs(small) + passed.mean() * asked
    lines = [
        f"on {len(X)} training rows the large model is asked for {passed.mean():.1%}: {mean:.1f} MACs on average, at "
        f"most {macs(small) + alone} (large model alone: {alone})"
    ]
    hardware = hardware_of(run)
    if hardware is not None and hardware.device:
        device = load_device(hardware.device)
        code = Code("int8", "straight", device.build(hardware.compiler))
        usual, most = cascade_latency(cascade, X, device, code, inputs, early_exit=early)
        lines.append(f"predicted on {hardware.device}: {1e6 * usual:.4g} µs on average, at most {1e6 * most:.4g} µs")
    saves = mean < alone
    return lines if saves else [*lines, "this cascade saves nothing: export the large model, or allow --max-loss"]


def _check_options(arguments: argparse.Namespace) -> None:
    if not arguments.cascade:
        raise ValueError("--max-loss is an option of --cascade; give both")
    if arguments.to != "c" or arguments.precision not in (None, "int8") or arguments.style not in (None, "straight"):
        raise ValueError("a cascade is written as C in int8, straight style: give --to c, and no other code")
    if given := [option for option in ALONE if getattr(arguments, option)]:
        raise ValueError(f"--cascade does not go with --{given[0].replace('_', '-')}; leave one of them out")


def _numbers(text: str, count: int) -> tuple[int, int]:
    """The positions of two models in the front, which are the numbers of their files."""
    parts = text.split(",")
    if len(parts) != 2 or not all(part.strip().isdecimal() for part in parts):
        raise ValueError(f"--cascade {text}; it takes the numbers of two model files, as 0,7 for 000.json and 007.json")
    first, second = (int(part) for part in parts)
    if first == second or max(first, second) >= count:
        allowed = f"two different numbers from 0 to {count - 1}, those of the model files"
        raise ValueError(f"--cascade {text}; it takes {allowed} (neuraltree show lists them)")
    return first, second


def _one_type(texts: list[str]) -> str:
    """The type of all inputs; a run's own is a text such as "default=int16"."""
    texts = [text.removeprefix("default=") for text in texts]
    if len(texts) > 1 or any("=" in text for text in texts):
        raise ValueError(f"a cascade takes inputs of one type, not {' '.join(texts)}; give --input int16 or float32")
    return texts[0] if texts else "float32"
