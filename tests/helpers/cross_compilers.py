"""Compilers for devices that tests use where they are installed, and an AVR that runs programs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from experiments.studies.mnist_c.painted_stack import PAINTED_STACK
from neuraltree.hardware.measure.folders import compiler_folder

STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Werror")
ZIG = shutil.which("zig", path=str(Path(find_spec("ziglang").origin).parent)) if find_spec("ziglang") else None  # type: ignore[union-attr,arg-type]
ARM_GCC = ("arm-none-eabi-gcc", "-mthumb", "-nostartfiles", "--specs=nosys.specs", "-Wl,-e,main")
ARM_CLANG = (str(ZIG), "cc", "-ffreestanding", "-Wl,-e,main", "-target")
# By name: the program and the options that every call has.
COMPILERS: dict[str, tuple[str, ...]] = {
    "gcc, M0+": (*ARM_GCC, "-mcpu=cortex-m0plus"),
    "gcc, M4F": (*ARM_GCC, "-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"),
    "clang, M0+": (*ARM_CLANG, "thumb-freestanding-eabi", "-mcpu=cortex_m0plus"),
    "clang, M4F": (*ARM_CLANG, "thumb-freestanding-eabihf", "-mcpu=cortex_m4+vfp4d16sp"),
    "gcc, AVR": ("avr-gcc", "-mmcu=atmega328p"),
}


def need(compiler: str) -> None:
    program = COMPILERS[compiler][0]
    if shutil.which(program) is None:
        pytest.skip(f"no compiler for {compiler}: {program if program != 'None' else 'the wheel ziglang'} is missing")


def build(folder: Path, files: Mapping[str, str], compiler: str, options: Sequence[str], out: str = "out.elf") -> Path:
    """Compile and link the files that end in .c; any warning of ``options`` fails."""
    need(compiler)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    sources = [name for name in files if name.endswith(".c")]
    done = subprocess.run(
        [*COMPILERS[compiler], *STRICT, *options, *sources, "-o", out],
        cwd=folder,
        env={**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(compiler_folder()), "ZIG_LOCAL_CACHE_DIR": str(folder / "zig")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[:3000]
    return folder / out


def symbols(elf: Path) -> dict[str, int]:
    """Address of each symbol of an ELF file."""
    elffile = pytest.importorskip("elftools.elf.elffile", reason="reading ELF needs pyelftools")
    with elf.open("rb") as stream:
        table = elffile.ELFFile(stream).get_section_by_name(".symtab")
        return {row.name: row["st_value"] for row in table.iter_symbols() if row["st_shndx"] != "SHN_UNDEF"}


def section_bytes(elf: Path, *names: str) -> int:
    """The bytes of these sections together; a name that is absent counts 0."""
    elffile = pytest.importorskip("elftools.elf.elffile", reason="reading ELF needs pyelftools")
    with elf.open("rb") as stream:
        sections = [elffile.ELFFile(stream).get_section_by_name(name) for name in names]
        return sum(section["sh_size"] for section in sections if section is not None)


# On simavr: standard output goes to the serial port, whose lines simavr prints.
AVR_MAIN = """#include <stdint.h>
#include <stdio.h>
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <avr/sleep.h>

@PAINTED_STACK@
static int put(char letter, FILE *stream)
{
    (void)stream;
    loop_until_bit_is_set(UCSR0A, UDRE0);
    UDR0 = (uint8_t)letter;
    return 0;
}

static FILE out = FDEV_SETUP_STREAM(put, NULL, _FDEV_SETUP_WRITE);
int program_main(void);
int main(void)
{
    int result;
    stdout = &out;
    UCSR0B = _BV(TXEN0);
    result = program_main();
    printf_P(PSTR("returned %d, stack %u\\n"), result, (unsigned)stack_used());
    cli();
    sleep_mode();
    return 0;
}
""".replace("@PAINTED_STACK@", PAINTED_STACK)


def run_on_avr(elf: Path) -> tuple[str, int, int]:
    """What a program built with ``AVR_MAIN`` printed, what its ``program_main`` returned, and its stack in bytes."""
    if shutil.which("simavr") is None:
        pytest.skip("no simavr to run an AVR's program")
    done = subprocess.run(
        ["simavr", "-m", "atmega328p", "-f", "16000000", str(elf)],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
        check=False,
    )
    text = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    ended = re.search(r"returned (-?\d+), stack (\d+)", text)
    assert ended, text[-2000:]
    return text, int(ended[1]), int(ended[2])
