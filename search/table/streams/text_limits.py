"""Text files that are too large for the memory of this machine: refused before they are read."""

from __future__ import annotations

import gzip
import os
import shlex
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from search.config.settings import DataConfig
from search.errors import InputError
from search.table.files.byte_text import check_file
from search.table.files.text_shape import separator_of

HEAD = 2**20  # bytes of text by which the cells of a file are estimated
CELL_BYTES = 112  # what a run takes for each cell of a text file, at most while it is read
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # of a container
_USED = ("/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory/memory.usage_in_bytes")
# Types come from the first block of so many bytes, and no more than a few blocks are in memory.
_CONVERT = (
    "from pyarrow import csv, parquet; r = csv.open_csv({source!r}, csv.ReadOptions(block_size=2**26{header})"
    "{separator}); w = parquet.ParquetWriter({target!r}, r.schema); [w.write_batch(b) for b in r]; w.close()"
)


class _Extent(NamedTuple):
    """The estimated cells of a file, and its separator."""

    cells: float
    separator: str


def check_memory(paths: Sequence[Path], data: DataConfig, source: str) -> None:
    """``InputError``, with the line that makes Parquet of them, for files whose table would not fit into memory."""
    there = available_bytes()
    extents = [_extent(path) for path in paths]
    needed = CELL_BYTES * sum(extent.cells for extent in extents)
    if there is None or needed <= there:
        return
    each = f" and so for each of the {len(paths)} files" if len(paths) > 1 else ""
    target = Path(str(paths[0]).removesuffix(".gz")).with_suffix(".parquet")
    named = f"{target.parent}/*.parquet" if len(paths) > 1 else target
    raise InputError(
        f"{source}: read as text it would need about {needed / 2**30:.1f} GiB of memory, and "
        f"{there / 2**30:.1f} GiB are free; as Parquet it is read in blocks: "
        f'data.source = "{named}". To convert it{each}, with pyarrow: '
        f"{conversion(paths[0], target, extents[0].separator, header=data.header is not False)}"
    )


def conversion(path: Path, target: Path, separator: str, *, header: bool) -> str:
    """The command that writes a text file as Parquet."""
    program = _CONVERT.format(
        source=str(path),
        target=str(target),
        header="" if header else ", autogenerate_column_names=True",
        separator="" if separator == "," else f", csv.ParseOptions(delimiter={separator!r})",
    )
    return f"python -c {shlex.quote(program)}"


def _extent(path: Path) -> _Extent:
    check_file(path)
    size = path.stat().st_size
    with suppress(OSError, EOFError), path.open("rb") as file:
        head = file.read(HEAD)
        if path.name.lower().endswith(".gz"):
            file.seek(0)
            head = gzip.GzipFile(fileobj=file).read(HEAD)
            size = int(size * len(head) / max(1, file.tell()))
        lines = [line for line in head.decode("latin-1").replace("\0", "").splitlines() if line.strip()]
        if lines:
            separator = separator_of(lines[0])
            cells = sum(line.count(separator) + 1 for line in lines)
            return _Extent(size * cells / max(1, len(head)), separator)
    return _Extent(0.0, ",")  # the reader says what is wrong with it


def available_bytes() -> int | None:
    """The memory that this process can have, by the system and by its container; None if it is not known."""
    found = []
    with suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        found += [1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    for limit, used in zip(_LIMITS, _USED, strict=True):
        with suppress(OSError, ValueError):
            found.append(int(Path(limit).read_text()) - int(Path(used).read_text()))
    if not found:
        with suppress(OSError, ValueError, AttributeError):
            found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(found, default=None)
