"""results/mnist_c.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from experiments.common.statistics import summary
from experiments.rendering.searches import ResultRows, names
from experiments.rendering.text import figure, page, right, whole
from experiments.studies.mnist_c.run import JOBS, ON_CHIP
from search.folder.records import write_text

TITLE, COMMAND = "MNIST on a microcontroller", "`python -m experiments.run mnist_c`"
TEXT = """Written by `python -m experiments.render` from [mnist_c.csv](mnist_c.csv), made by {command}.

Trees that are trained as those of [mnist.md](mnist.md), as `export_c(tree, precision=FORMAT, style=STYLE,
inputs="uint8")`: the C takes the 784 bytes of an image as they are. *Error*: of the integer code on the 10,000 test images, mean ± sd
over {seeds}; the C, built on the machine of the experiment, gave the class of the integers in Python for each of them.
Sizes, formats and styles were chosen by the validation error. Trees *trained in the format* are so in the last quarter
of their training, others are rounded afterwards.

All bytes count: *constants* and *flash* (code and constants of `predict`) of a Cortex-M0+ by clang -O2, and
*ATmega328P* by avr-gcc -Os: the flash of a program that sends the classes of images, start-up code included, and its
RAM with an image and the deepest stack. It ran under simavr, with 32 KB of flash and 2 KB of RAM, over {images} images
of each seed, which lay in flash, too, and are not counted; its classes were those of Python. The linker refuses more
than 32 KB. Sizes are means over the seeds, with the largest in brackets; RAM is the largest."""
HEADER = (
    *("weights", "format", "edges", "validation error, %", "test error, %", "floats, %", "constants B", "flash B"),
    *("M0+ kcycles", "ATmega328P flash B", "RAM B", "kcycles", "seeds"),
)


def render(rows: ResultRows, results: Path) -> None:
    text = TEXT.format(command=COMMAND, seeds=_seeds(rows), images=ON_CHIP)
    write_text(results / "mnist_c.md", page(TITLE, text, right(HEADER, _lines(rows), left=3)))


def headline(rows: ResultRows) -> str:
    sizes = ("flash on a Cortex-M0+, B", "flash on an ATmega328P, B", "RAM, B")
    lines = [[*line[:3], line[4], line[7], *line[9:11]] for line in _lines(rows)]
    text = f"C from raw pixels; mean ± sd over {_seeds(rows)}. {COMMAND}, [mnist_c.md](mnist_c.md)."
    return f"## {TITLE}\n\n{text}\n\n{right(('weights', 'format', 'edges', 'test error, %', *sizes), lines, left=3)}"


def _lines(rows: ResultRows) -> list[list[str]]:
    """A line for each code of each job, in the order in which the experiment names them."""
    found = []
    for job, size in JOBS.items():
        for code in size.codes:
            mine = [
                row for row in rows if (row["job"], row["precision"], row["style"]) == (job, code.precision, code.style)
            ]
            if mine:
                trained = ", trained in it" if size.trained else ""
                found.append([whole(_mean(mine, "weights")), code.precision + trained, code.style, *_measured(mine)])
    return found


def _measured(rows: ResultRows) -> list[str]:
    errors = [_spread(rows, column) for column in ("val_error", "test_error", "float_error")]
    flash = f"{whole(_mean(rows, 'flash'))} ({whole(max(_values(rows, 'flash')))})"
    chip = f"{whole(_mean(rows, 'chip_flash'))} ({whole(max(_values(rows, 'chip_flash')))})"
    return [
        *errors,
        whole(_mean(rows, "constants")),
        flash,
        whole(_mean(rows, "cycles") / 1000),
        chip,
        whole(max(_values(rows, "chip_ram"))),
        whole(_mean(rows, "chip_cycles") / 1000),
        str(len(rows)),
    ]


def _values(rows: ResultRows, column: str) -> list[float]:
    return [float(row[column]) for row in rows]


def _mean(rows: ResultRows, column: str) -> float:
    return float(np.mean(_values(rows, column)))


def _spread(rows: ResultRows, column: str) -> str:
    found = summary(_values(rows, column))
    return f"{figure(100 * found.mean, 2)} ± {figure(100 * found.sd, 2)}"


def _seeds(rows: ResultRows) -> str:
    """The number of seeds of the jobs, as a phrase."""
    counts = sorted(len({row["seed"] for row in rows if row["job"] == job}) for job in names(rows, "job"))
    few, many = counts[0], counts[-1]
    return f"{few} to {many} seeds" if few < many else f"{many} seed{'s' * (many > 1)}"
