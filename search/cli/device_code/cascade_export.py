"""``neuraltree export RUN --to c --cascade N,M``: two models of a front in one library."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from neuraltree.cli.command import DONE
from neuraltree.export import __main__ as exporting
from neuraltree.export.names import check_name, name_from
from neuraltree.export.targets import FORMATS
from search.cli.chosen import front_of, inputs_of_run
from search.cli.device_code.training_rows import training_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neuraltree.compress.exits.cascade import Cascade

CHECK = (
    "to check both models: cd {folder} && for part in small large; do cc -std=c99 -I. {name}_$part.c "
    "test/{name}_${{part}}_test.c -o check && ./check; done"
)
ALONE = ("wide", "constants", "early_exit", "program", "digits")  # options that do not go with a cascade


def export_cascade_of(arguments: argparse.Namespace) -> int:
    """Write the cascade, and print what it costs on the training rows. Returns the exit code."""
    from neuraltree.compress.input_types import as_inputs
    from neuraltree.export.c.cascade_library import cascade_of, export_cascade

    _check_options(arguments)
    run: Path = arguments.model
    front = front_of(run)
    members = sorted((front[i] for i in _numbers(arguments.cascade, len(front))), key=lambda member: member.weights)
    out = arguments.out or Path(name_from(run.absolute().name))
    exporting.check_place("c", FORMATS["c"], out)
    name = check_name(arguments.name or name_from(out.absolute().name))
    inputs = _one_type(arguments.input or inputs_of_run(run))
    small, large = (member.tree() for member in members)
    X, y = training_rows(run, large)
    cascade = cascade_of(small, large, X, y, inputs=inputs, max_loss=arguments.max_loss or 0.0)
    exporting.write_export(FORMATS["c"], export_cascade(cascade, name, inputs=inputs), out, name)
    print(_word(cascade, as_inputs(small, X, inputs), y))
    print(CHECK.format(folder=shlex.quote(str(out)), name=name))
    return DONE


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
    """The type of all inputs."""
    if len(texts) > 1 or any("=" in text for text in texts):
        raise ValueError(f"a cascade takes inputs of one type, not {' '.join(texts)}; give --input int16 or float32")
    return texts[0] if texts else "float32"


def _word(cascade: Cascade, X: NDArray, y: NDArray) -> str:
    """What the cascade does on its training rows ``X`` (rows, features), in the numbers that its code takes."""
    from neuraltree.compress.exits.cascade import macs

    q = cascade.quantize(X)
    right = float((cascade.predict_q(q) == y).mean())
    of_large = float((cascade.large.predict_q(cascade.large.quantize(X)) == y).mean())
    alone, mean = macs(cascade.large), cascade.mean_macs(X)
    word = (
        f"on {len(y)} training rows the large model is asked for {cascade.passed(X).mean():.1%}; {mean:.1f} MACs on "
        f"average, at most {macs(cascade.small) + alone} (large model alone: {alone}); right answers {right:.4f} ("
        f"large model alone: {of_large:.4f}); other rows may differ"
    )
    return word if mean < alone else f"{word}\nthis cascade saves nothing: export the large model, or allow --max-loss"
