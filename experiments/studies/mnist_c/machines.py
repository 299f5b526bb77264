"""The C of a model run as programs: on this machine over any number of images, and on a simulated ATmega328P."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.studies.mnist_c.painted_stack import PAINTED_STACK
from search.errors import InputError

LIMIT_S = 300.0
HOST = """#include <stdio.h>
#include "m.h"

int main(void)
{
    static uint8_t x[@WIDTH@];
    while (fread(x, 1, sizeof x, stdin) == sizeof x) {
        putchar('0' + m_predict(x));
    }
    return 0;
}
"""
# The image lies in RAM, as one that a camera or a serial port has filled. The program sends a digit for each image, and
# then the bytes of its stack.
CHIP = """#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <avr/sleep.h>
#include "m.h"

static const uint8_t images[@COUNT@][@WIDTH@] PROGMEM = {{@ROWS@}};
static uint8_t x[@WIDTH@];
@PAINTED_STACK@
static void put(char letter)
{
    loop_until_bit_is_set(UCSR0A, UDRE0);
    UDR0 = (uint8_t)letter;
}

int main(void)
{
    uint16_t stack;
    UCSR0B = _BV(TXEN0);
    put('<');
    for (uint8_t i = 0; i < @COUNT@; ++i) {
        memcpy_P(x, images[i], sizeof x);
        put((char)('0' + m_predict(x)));
    }
    stack = stack_used();
    put(' ');
    for (uint16_t part = 1000; part != 0; part /= 10) {
        put((char)('0' + stack / part % 10));
    }
    put('>');
    put('\\n');
    cli();
    sleep_mode();
    return 0;
}
"""


class Ran(NamedTuple):
    """``classes`` (images,) that the chip found; bytes of ``flash`` of the whole program but its images, and of
    ``ram``: variables, the image among them, and the deepest stack."""

    classes: NDArray[np.int64]
    flash: int
    ram: int


def host_classes(files: Mapping[str, str], X: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(images,) what ``m_predict``, built by this machine's compiler, says of bytes (images, pixels)."""
    with tempfile.TemporaryDirectory(prefix="neuraltree-") as folder:
        _put(folder, {**files, "main.c": HOST.replace("@WIDTH@", str(X.shape[1]))})
        _called(["cc", "-std=c99", "-O2", "m.c", "main.c", "-o", "run"], folder)
        found = _called(["./run"], folder, X.tobytes())
    return _digits(found)


def on_chip(files: Mapping[str, str], X: NDArray[np.uint8]) -> Ran:
    """Build for the ATmega328P, whose linker refuses more than 32 KB, and run over the images (images, pixels)."""
    rows = "}, {".join(", ".join(map(str, row)) for row in X.tolist())
    marks = {"@COUNT@": str(len(X)), "@WIDTH@": str(X.shape[1]), "@ROWS@": rows, "@PAINTED_STACK@": PAINTED_STACK}
    text = CHIP
    for mark, value in marks.items():
        text = text.replace(mark, value)
    with tempfile.TemporaryDirectory(prefix="neuraltree-") as folder:
        _put(folder, {**files, "main.c": text})
        flags = ["-mmcu=atmega328p", "-std=gnu11", "-Os", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"]
        _called(["avr-gcc", *flags, "m.c", "main.c", "-o", "run.elf"], folder)
        sizes = _called(["avr-size", "-A", "run.elf"], folder)
        said = _called(["simavr", "-m", "atmega328p", "-f", "16000000", "run.elf"], folder)
    section = {name: int(size) for name, size in re.findall(r"^(\.\w+)\s+(\d+)", sizes, re.M)}
    found = re.search(r"<(\d+) (\d+)>", re.sub(r"\x1b\[[0-9;]*m", "", said))
    if found is None:
        raise RuntimeError(f"the program did not come to its end in simavr: {said[-500:]}")
    flash = section[".text"] + section.get(".data", 0)
    variables = section.get(".data", 0) + section.get(".bss", 0)
    return Ran(_digits(found[1]), flash - X.size, variables + int(found[2]))


def _put(folder: str, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (Path(folder) / name).write_text(text, encoding="utf-8")


def _called(command: Sequence[str], folder: str, given: bytes = b"") -> str:
    """What a program says. ``InputError`` if there is none of this name."""
    if not command[0].startswith("./") and shutil.which(command[0]) is None:
        raise InputError(f"{command[0]} is missing; on Debian: apt-get install gcc gcc-avr avr-libc simavr")
    done = subprocess.run(command, cwd=folder, input=given, capture_output=True, timeout=LIMIT_S, check=False)
    said = (done.stdout + done.stderr).decode(errors="replace")
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {said[-2000:]}")
    return said


def _digits(text: str) -> NDArray[np.int64]:
    return np.array([int(digit) for digit in text.strip()])
