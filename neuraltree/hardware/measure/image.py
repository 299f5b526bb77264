"""A linked image: the addresses of its parts in memory, and the bytes of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuraltree.hardware.measure.cores import MeasureError

FLASH, RAM = 0x0800_0000, 0x2000_0000
FLASH_BYTES, RAM_BYTES = 0x0040_0000, 0x0010_0000

SCRIPT = f"""MEMORY
{{
  FLASH (rx) : ORIGIN = {FLASH:#x}, LENGTH = {FLASH_BYTES - 0x1000:#x}
  RAM (rwx) : ORIGIN = {RAM:#x}, LENGTH = {RAM_BYTES:#x}
}}
SECTIONS
{{
  .text : {{ *(.text .text.*) }} > FLASH
  .rodata : {{ *(.rodata .rodata.* .srodata .srodata.*) }} > FLASH
  .data : {{ *(.data .data.* .sdata .sdata.*) }} > RAM AT> FLASH
  .bss : {{ *(.bss .bss.* .sbss .sbss.* COMMON) }} > RAM
  /DISCARD/ : {{ *(.ARM.exidx*) *(.ARM.extab*) *(.eh_frame*) *(.comment) *(.note*) }}
}}
"""


@dataclass(frozen=True)
class Built:
    """Bytes per section, the segments to load as (address, content), and (address, bytes) of each symbol."""

    text_bytes: int
    rodata_bytes: int
    data_bytes: int
    bss_bytes: int
    segments: tuple[tuple[int, bytes], ...]
    symbols: Mapping[str, tuple[int, int]]

    @property
    def flash_bytes(self) -> int:
        """Bytes in flash, including the initial values of variables."""
        return self.text_bytes + self.rodata_bytes + self.data_bytes

    @property
    def static_ram_bytes(self) -> int:
        """RAM of the variables, without the stack."""
        return self.data_bytes + self.bss_bytes


def read_image(path: Path, functions: Sequence[str]) -> Built:
    """The image in an ELF file; ``MeasureError`` if it lacks one of the functions."""
    from elftools.elf.elffile import ELFFile

    with path.open("rb") as stream:
        elf = ELFFile(stream)
        sizes = _sizes(elf.iter_sections())
        segments = tuple((part["p_vaddr"], part.data()) for part in elf.iter_segments() if part["p_type"] == "PT_LOAD")
        table: Any = elf.get_section_by_name(".symtab")
        defined = (row for row in table.iter_symbols() if row["st_shndx"] != "SHN_UNDEF")
        symbols = {row.name: (row["st_value"], row["st_size"]) for row in defined}
    for function in functions:
        if function not in symbols:
            raise MeasureError(f"no function {function} in the C files")
    return Built(*sizes, segments=segments, symbols=symbols)


def _sizes(sections: Iterable[Any]) -> tuple[int, int, int, int]:
    """Bytes of code, constants, initialised variables and zeroed variables, classified by the flags of sections."""
    from elftools.elf.constants import SH_FLAGS

    text = rodata = data = bss = 0
    for section in sections:
        size, flags = section["sh_size"], section["sh_flags"]
        if not flags & SH_FLAGS.SHF_ALLOC:
            continue
        if flags & SH_FLAGS.SHF_EXECINSTR:
            text += size
        elif section["sh_type"] == "SHT_NOBITS":
            bss += size
        elif flags & SH_FLAGS.SHF_WRITE:
            data += size
        else:
            rodata += size
    return text, rodata, data, bss
