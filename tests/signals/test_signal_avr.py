"""Features on a core whose ``int`` has 16 bits: the same numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neuraltree.signals.features.feature_table import FEATURES
from neuraltree.signals.front_end.window_parts import Sides, part_of
from tests.helpers import avr, signal_program

N = 500  # more does not fit the RAM of the board
FACTOR, OFFSET = 1103515245, 12345
SETUP = """#include <avr/io.h>
static void put(int64_t v) {
    for (int i = 60; i >= 0; i -= 4) { while (!(UCSR0A & 32)); UDR0 = "0123456789abcdef"[(v >> i) & 15]; }
    while (!(UCSR0A & 32));
    UDR0 = '\\n';
}"""
MAIN = """static int16_t x[@N@];
static parts px;
int main(void) {
    const int n = @N@;
    uint32_t seed = 1;
    UBRR0 = 0;
    UCSR0B = 8;
    for (int kind = 0; kind < 3; kind++) {
        for (int i = 0; i < n; i++) {
            seed = seed * @FACTOR@u + @OFFSET@u;
            x[i] = kind == 0 ? (int16_t)(seed >> 16 & 65535) | 1 : kind == 1 ? 32767 : seed >> 31 ? 32767 : -32767;
        }
        fill(&px, x, x, n, n / 2, -5);
        @CALLS@
    }
    for (;;);
}"""


@pytest.mark.skipif(bool(avr.missing()), reason=f"needs {avr.missing()}")
def test_features_are_the_same_where_an_int_has_16_bits(tmp_path: Path) -> None:
    asked = [(name, p) for name, one in FEATURES.items() for p in sorted({*one.parameters(N, 50.0), *one.allowed(N)})]
    calls = " ".join(f"put({signal_program.feature_call(name, str(p)).replace('py.', 'px.')});" for name, p in asked)
    main = MAIN.replace("@CALLS@", calls).replace("@N@", str(N))
    main = main.replace("@FACTOR@", str(FACTOR)).replace("@OFFSET@", str(OFFSET))
    text = "\n".join([signal_program.rows_text(), SETUP, signal_program.parts_text(N), main])
    (tmp_path / "signals.c").write_text(text)
    strict = ["-std=gnu99", "-Os", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-mmcu=atmega328p"]
    avr.run("avr-gcc", *strict, "signals.c", "-o", "signals.elf", cwd=tmp_path)
    x = samples()
    sides = Sides.of((x, x), (np.full(3, -5), np.full(3, -5)))
    expected = [
        FEATURES[name].integer({read: part_of(sides, read) for read in FEATURES[name].reads}, N, p) for name, p in asked
    ]
    lines = avr.printed(tmp_path / "signals.elf", 3 * len(asked))
    found = np.array([int(line, 16) for line in lines], dtype=np.uint64).astype(np.int64).reshape(3, -1)
    wrong = np.argwhere(found != np.array(expected).T)
    assert [(asked[j], int(i), int(found[i, j]), int(expected[j][i])) for i, j in wrong[:5]] == []


def samples() -> np.ndarray:
    """(3, N): random, constant, and of two extremes."""
    seed, kinds = 1, []
    for kind in range(3):
        row = []
        for _ in range(N):
            seed = (seed * FACTOR + OFFSET) % (1 << 32)
            low = (seed >> 16) | 1
            row.append((low - 65536 * (low > 32767), 32767, 32767 if seed >> 31 else -32767)[kind])
        kinds.append(row)
    return np.array(kinds, dtype=np.int64)
