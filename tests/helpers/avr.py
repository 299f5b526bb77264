"""Arduino sketches for the ATmega328P, built with Debian's core as the IDE builds them, and run by simavr."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from pathlib import Path

HARDWARE = Path("/usr/share/arduino/hardware/arduino/avr")
CORE = HARDWARE / "cores" / "arduino"
BOARD = ["-mmcu=atmega328p", "-DF_CPU=16000000L", "-DARDUINO=10819", "-DARDUINO_AVR_UNO", "-DARDUINO_ARCH_AVR"]
# Arduino's strings use DECIMAL_DIG, which Debian's avr-gcc defines for C alone.
SIZES = ["-Os", "-g", "-w", "-DDECIMAL_DIG=__DECIMAL_DIG__", "-flto", "-ffunction-sections", "-fdata-sections"]
C = ["avr-gcc", "-std=gnu11", "-fno-fat-lto-objects"]
CPP = ["avr-g++", "-std=gnu++11", "-fpermissive", "-fno-exceptions", "-fno-threadsafe-statics", "-Wno-error=narrowing"]
PLACES = [f"-I{CORE}", f"-I{HARDWARE / 'variants' / 'standard'}"]
TOOLS = ("avr-gcc", "avr-g++", "avr-gcc-ar", "simavr", "stdbuf")
COLOURS = re.compile(r"\x1b\[\d*m")


def missing() -> str:
    """Which of what this needs is not here; "" if all is."""
    return ", ".join([tool for tool in TOOLS if not shutil.which(tool)] or ([] if CORE.is_dir() else [str(CORE)]))


def run(*command: object, cwd: Path | None = None) -> str:
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:3000]
    return done.stdout


def core(folder: Path) -> Path:
    """The archive of Arduino's own code."""
    folder.mkdir()
    for compiler, ending in ((C, "c"), (CPP, "cpp"), (["avr-gcc", "-x", "assembler-with-cpp"], "S")):
        sources = sorted(CORE.glob(f"*.{ending}"))
        run(*compiler, *SIZES, *BOARD, *PLACES, "-c", *sources, cwd=folder)
    run("avr-gcc-ar", "rcs", "core.a", *sorted(path.name for path in folder.glob("*.o")), cwd=folder)
    return folder / "core.a"


def build(archive: Path, sources: Path, program: Path) -> Path:
    """The program of a sketch or a C++ file with the C of a library; nothing is warned of, and all fits the board."""
    made = archive.parent / f"{len([*archive.parent.iterdir()])}"
    made.mkdir()
    (made / "sketch.cpp").write_text(f'#include <Arduino.h>\n#line 1 "{program.name}"\n{program.read_text()}')
    strict = [flag for flag in SIZES if flag != "-w"] + ["-Wall", "-Wextra", "-Werror"]
    places = [*PLACES, f"-I{sources}", f"-I{program.parent}"]
    run(*CPP, *strict, *BOARD, *places, "-c", "sketch.cpp", cwd=made)
    run(*C, *strict, *BOARD, *places, "-c", *sorted(sources.glob("*.c")), cwd=made)
    objects = sorted(path.name for path in made.glob("*.o"))
    run("avr-gcc", *SIZES, "-Wl,--gc-sections", BOARD[0], *objects, archive, "-lm", "-o", "program.elf", cwd=made)
    return made / "program.elf"


def size(program: Path) -> tuple[int, int]:
    """Bytes of flash, and of variables in RAM."""
    text, data, bss = map(int, run("avr-size", program).splitlines()[1].split()[:3])
    return text + data, data + bss


def printed(program: Path, lines: int, seconds: float = 60.0) -> list[str]:
    """The first lines that the program sends over the UART within some seconds."""
    command = ["stdbuf", "-oL", "simavr", "-m", "atmega328p", "-f", "16000000", str(program)]
    found: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        limit = threading.Timer(seconds, process.kill)  # a program may print nothing at all
        limit.start()
        for line in process.stdout:
            text = COLOURS.sub("", line).strip().removesuffix("..").removesuffix(".")
            found += [text] if text and not text.startswith("Loaded ") else []
            if len(found) == lines:
                break
        limit.cancel()
        process.kill()
    return found
