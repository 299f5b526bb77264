"""Cycles and stack of an AVR in simavr against assembler, whose cycles are in the instruction set manual."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neuraltree.hardware.calibrate.calibration_trees import random_trees
from neuraltree.hardware.measure import Call, MeasureError, available_compilers, measure, store
from neuraltree.hardware.measure.avr import simulated
from neuraltree.hardware.measure.measured import Measurement
from neuraltree.hardware.measured_models import measure_model

BUILDS = [name for name, cores in available_compilers().items() if "avr" in cores]
pytestmark = pytest.mark.skipif(not BUILDS, reason="no AVR here: it needs avr-gcc with avr-libc, and simavr")


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "cache_folder", lambda part: tmp_path / part)


def assembler(name: str, lines: str) -> str:
    head = f'.section .text.{name},\\"ax\\",@progbits; .global {name}; .type {name},@function; {name}:'
    everything = f"{head};{lines};.size {name},.-{name}".split(";")
    return "__asm__(" + "".join(f'"{line.strip()}\\n"' for line in everything) + ");"


def run(text: str, call: Call, build: str = "gcc-Os") -> Measurement:
    return measure({"model.c": text}, [call], "avr", build)


LOOP = "1: subi r22,1; sbci r23,0; sbci r24,0; sbci r25,0; brne 1b; ret"


def test_cycles_are_exact_also_where_the_timer_goes_round() -> None:
    """A subtraction of four bytes takes 4, a branch 2 if it is taken and 1 if not, the return 4."""
    counts = [1, 10, 10_919, 10_922, 10_923, 11_000, 200_000, 1_000_000]
    cost = run(assembler("loop", LOOP), Call("loop", [(n,) for n in counts])).costs[0]
    assert cost.cycles_lo.tolist() == [6 * n - 1 + 4 for n in counts]
    assert cost.cycles_hi.tolist() == cost.cycles_lo.tolist()
    assert cost.instructions is None
    assert cost.stack_bytes.tolist() == [2] * len(counts)  # the return address


SNIPPETS = [("mul r24,r25; clr r1", 3), ("lds r0,0x100; sts 0x100,r0", 4), ("movw r30,r24; lpm r0,Z+", 4)]
SNIPPETS += [("push r2; pop r2; adiw r24,1", 6), ("rjmp 1f; 1: nop", 3), ("rcall 1f; rjmp 2f; 1: ret; 2: nop", 10)]


@pytest.mark.parametrize(("lines", "cycles"), SNIPPETS)
def test_cycles_of_instructions(lines: str, cycles: int) -> None:
    assert run(assembler("some", f"{lines}; ret"), Call("some", [(1,)])).costs[0].cycles_lo.tolist() == [cycles + 4]


DEEP = "push r28; push r29; push r2; push r2; push r2; pop r2; pop r2; pop r2; pop r29; pop r28; ret"


def test_the_stack_is_exact_to_the_byte() -> None:
    assert run(assembler("deep", DEEP), Call("deep", [(1,)] * 5)).costs[0].stack_bytes.max() == 2 + 5


MIX = """#include <stdint.h>
int32_t start[3] = {10, 20, 30};
int32_t zeros[10];
float mix(float a, int16_t *q, int32_t n, uint8_t *u)
{ for (int32_t i = 0; i < n; i++) { q[i] *= 3; u[i]++; } zeros[n] += 1; start[0] += 1; return a * q[0]; }
int class_of(const float *x) { return x[0] > x[1] ? -1 : 300; }"""


@pytest.mark.parametrize("build", BUILDS)
def test_arguments_results_arrays_and_variables(build: str) -> None:
    arrays = np.array([7, -8], np.int16), np.array([254, 255], np.uint8)
    rows = [(2.5, arrays[0] + i, n, arrays[1]) for i, n in enumerate((1, 2))]
    found = run(MIX, Call("mix", rows, "float32", ("start", "zeros")), build)
    assert (found.data_bytes, found.bss_bytes) == (12, 40)
    cost = found.costs[0]
    assert cost.results is not None
    assert cost.results.tolist() == [2.5 * 21, 2.5 * 24]
    assert cost.arrays[0].tolist() == [[21, -8], [24, -21]]
    assert cost.arrays[1].tolist() == [[255, 255], [255, 0]]
    assert np.frombuffer(cost.variables["start"], "<i4").tolist() == [12, 20, 30]
    assert np.frombuffer(cost.variables["zeros"], "<i4").tolist() == [0, 1, 1, *7 * [0]]
    whole = run(MIX, Call("class_of", [(np.array(x, np.float32),) for x in ((2, 1), (1, 2))], "int"), build)
    assert whole.costs[0].results is not None
    assert whole.costs[0].results.tolist() == [-1, 300]
    assert whole.flash_bytes < 250  # a comparison of floats, and no start-up code


def test_constants_in_flash_take_no_ram() -> None:
    text = """#include <avr/pgmspace.h>
    static const unsigned char table[100] PROGMEM = {3, 5};
    int look(int32_t i) { return pgm_read_byte(table + i); }"""
    found = run(text, Call("look", [(0,), (1,)], "int"))
    assert found.costs[0].results is not None
    assert found.costs[0].results.tolist() == [3, 5]
    assert found.static_ram_bytes == 0
    assert 100 < found.flash_bytes < 130


@pytest.mark.parametrize(("precision", "style"), [("float32", "straight"), ("int8", "straight"), ("int8", "table")])
def test_a_model_computes_the_same_as_python(precision: str, style: str) -> None:
    for tree in random_trees(3, 5):  # a regression, two classes, several classes
        assert measure_model(tree, "avr", BUILDS[0], precision=precision, style=style).agrees
        if tree.classes is not None:
            code = {"precision": precision, "style": style, "function": "probabilities"}
            assert measure_model(tree, "avr", BUILDS[0], **code).agrees


def test_what_cannot_be_measured_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MeasureError, match="clang does not build for avr; allowed: gcc, gcc-Os, gcc-O3"):
        run(MIX, Call("mix", [(1,)]), "clang")
    with pytest.raises(MeasureError, match="into registers; got 5"):
        run(MIX, Call("mix", [(1, 2, 3, 4, 5)]))
    with pytest.raises(MeasureError, match="32 bits; got 4294967296"):
        run(MIX, Call("mix", [(2**32,)]))
    with pytest.raises(MeasureError, match="no variable ends"):
        run(MIX, Call("class_of", [(np.ones(2, np.float32),)], "int", ("ends",)))
    monkeypatch.setattr(simulated, "LIMIT_S", 1.0)
    with pytest.raises(MeasureError, match="spin did not return within 1 s in simavr"):
        run("void spin(volatile char *p) { while (*p) {} }", Call("spin", [(np.ones(1, np.int8),)]))
    with pytest.raises(MeasureError, match="lost did not come to its end"):
        run(assembler("lost", "cli; sleep"), Call("lost", [(1,)]))
