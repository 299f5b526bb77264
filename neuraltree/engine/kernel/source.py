"""The sources of the kernel: the C files of this folder, and ``rows.h``, made from the tables of the package."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from neuraltree.activations import ACTIVATIONS, code_of
from neuraltree.engine.learned_rates import LEAST, MOST, MOST_FALL, MOST_RISE, STATE
from neuraltree.engine.optimizers import FIRST_DECAY, OPTIMIZERS, SECOND_DECAY, Optimizer
from neuraltree.tasks.losses import LOSSES

FOLDER = Path(__file__).parent
LIBRARY = "_kernel.dll" if sys.platform == "win32" else "_kernel.so"
FLAGS = ("-std=gnu11", "-O3", "-fPIC", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off")
# The variants of each processor family, the best last. Processors that have none use the lowering to XLA.
AVX512 = ("-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mprefer-vector-width=512")
VARIANTS: dict[str, dict[str, tuple[str, ...]]] = {
    "x86_64": {"avx2": ("-mavx2", "-mfma", "-mno-avx512f"), "avx512": ("-mavx2", "-mfma", *AVX512)},
    "aarch64": {"neon": ()},
}
LOSS_CODES = {name: code for code, name in enumerate(LOSSES)}
OPTIMIZER_CODES = {name: code for code, name in enumerate(OPTIMIZERS)}


def rows_header(variants: Sequence[str]) -> str:
    """The text of ``rows.h`` for a library of these variants."""
    lines = [
        f"#define NT_ACTIVATIONS {len(ACTIVATIONS)}",
        f"#define NT_IDENTITY {code_of('identity')}",
        _each("ACTIVATION", [f"{row.name}, ({row.c_text}), ({row.c_slope})" for row in ACTIVATIONS]),
        f"#define NT_LOSSES {len(LOSSES)}",
        f"enum {{ {', '.join(f'NT_LOSS_{name}' for name in LOSSES)} }};",
        _each("LOSS", [f"{name}, ({row.c_value}), ({row.c_slope})" for name, row in LOSSES.items() if row.c_value]),
        f"#define NT_OPTIMIZERS {len(OPTIMIZERS)}",
        f"#define NT_FIRST_DECAY {FIRST_DECAY}",
        f"#define NT_SECOND_DECAY {SECOND_DECAY}",
        f"#define NT_LEARNED_STATE {STATE}",
        f"#define NT_MOST_RISE {MOST_RISE}",
        f"#define NT_MOST_FALL {MOST_FALL}",
        f"#define NT_LEAST_RATE {LEAST}",
        f"#define NT_MOST_RATE {MOST}",
        _each("OPTIMIZER", [_optimizer(name, row) for name, row in OPTIMIZERS.items()]),
        f"#define EACH_VARIANT(X) {' '.join(f'X(_{name})' for name in variants)}",
    ]
    return "\n".join(lines) + "\n"


def _optimizer(name: str, row: Optimizer) -> str:
    """A rate that is not learned has no use for the last direction."""
    return f"{name}, ({row.learned.c_last if row.learned else 0}), {row.c_update}"


def _each(name: str, rows: list[str]) -> str:
    """A macro that calls its argument for every row, with the row's code first."""
    return f"#define EACH_{name}(X) \\\n" + " \\\n".join(f"    X({code}, {row})" for code, row in enumerate(rows))


def digest() -> str:
    """A digest of the sources: a library with another digest was built from other sources and is not used."""
    texts = [path.read_bytes() for path in sorted(FOLDER.glob("*.[ch]"))]
    texts.append(f"{rows_header(())} {FLAGS} {VARIANTS}".encode())
    return hashlib.sha256(b"\0".join(texts)).hexdigest()
