"""A search in a process of its own that measures its saving: arguments as of ``python -m search.run``.

The last line of standard output is JSON: by generation the CPU seconds of saving, and memory and files on the way.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import search.run
import search.runs.loop
from search.runs.progress import Phases

EVERY = 100  # generations between two looks at memory and files


class Measured(Phases):
    """Also notes what each saving took, and what the process holds."""

    save_cpu_s: ClassVar[list[float]] = []  # of the class: the loop makes the object
    rss_mib: ClassVar[list[float]] = []
    files: ClassVar[list[int]] = []

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        begun = time.process_time()
        with super().__call__(name):
            yield
        if name == "save":
            self.save_cpu_s.append(time.process_time() - begun)
            if len(self.save_cpu_s) % EVERY == 1:
                self.rss_mib.append(rss_mib())
                self.files.append(files_in(Path(sys.argv[sys.argv.index("--out") + 1])))


def rss_mib() -> float:
    """Resident memory of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def files_in(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


def main() -> int:
    search.runs.loop.Phases = Measured
    code = search.run.main()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lists = {name: getattr(Measured, name) for name in ("save_cpu_s", "rss_mib", "files")}
    print(json.dumps(lists | {"peak_mib": peak, "cpu_s": time.process_time()}))
    return code


if __name__ == "__main__":
    raise SystemExit(main())
