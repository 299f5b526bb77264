"""Which functions of an image call which, read from its code."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from neuraltree.hardware.measure.cores import Core
from neuraltree.hardware.measure.image import Built

TARGET = re.compile(r"#?(-?0x[0-9a-f]+|-?\d+)$")


def called(
    built: Built, core: Core, functions: Mapping[str, tuple[int, int]], callees: Collection[str]
) -> dict[str, frozenset[str]]:
    """For each of the functions (address, bytes by name) which of the ``callees`` it needs, directly or not.

    Constants among the code may read as jumps anywhere, so that not every function is looked for.
    """
    mark = int(core.family == "arm")
    by_start = {functions[name][0] - mark: name for name in callees}
    direct = {
        name: {by_start[to] for to in _targets(built, core, address - mark, size) if to in by_start} - {name}
        for name, (address, size) in functions.items()
    }
    return {name: frozenset(_reached(direct, name) - {name}) for name in direct}


def _reached(direct: Mapping[str, set[str]], name: str) -> set[str]:
    found, left = set[str](), [name]
    while left:
        for other in direct[left.pop()] - found:
            found.add(other)
            left.append(other)
    return found


def _targets(built: Built, core: Core, address: int, size: int) -> list[int]:
    """Where the jumps and calls of a function go."""
    import capstone

    if core.family == "arm":
        engine = capstone.Cs(
            capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS | capstone.CS_MODE_V8
        )
    else:
        engine = capstone.Cs(capstone.CS_ARCH_RISCV, capstone.CS_MODE_RISCV32 | capstone.CS_MODE_RISCVC)
    engine.skipdata = True
    found, page = [], {}
    for item in engine.disasm(_content(built, address, size), address):
        words = item.op_str.replace(",", " ").split()
        if item.mnemonic == "auipc":
            page[words[0]] = item.address + (int(words[1], 0) << 12)
        elif item.mnemonic == "jalr" and len(words) == 3:
            found.append((page.get(words[1], 0) + int(words[2], 0)) & 0xFFFFFFFF)
        elif item.mnemonic.startswith(("b", "j", "c.j")) and words and (to := TARGET.search(words[-1])):
            place = int(to[1], 0)
            found.append(place if core.family == "arm" else item.address + place)
    return found


def _content(built: Built, address: int, size: int) -> bytes:
    for start, content in built.segments:
        if start <= address < start + len(content):
            return content[address - start : address - start + size]
    return b""
