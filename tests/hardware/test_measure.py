"""Counts on emulated cores against functions written in assembler, whose counts are known by heart."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuraltree.compress.builds import BUILDS
from neuraltree.hardware.measure import (
    CORES,
    Call,
    MeasureError,
    Measurement,
    available_compilers,
    emulator,
    host_instructions,
    measure,
    measured,
    store,
    toolchains,
)
from neuraltree.hardware.measure.counting import LENGTHS, Counter
from neuraltree.hardware.measure.folders import compiler_folder
from neuraltree.hardware.measure.toolchains import compiler_of

for part in ("unicorn", "capstone", "elftools"):
    pytest.importorskip(part, reason=f"measuring needs {part}: pip install 'neuraltree[measure]'")

ARM = [name for name, core in CORES.items() if core.family == "arm"]
# Each build of each core; those with a block trace run in unicorn.
BUILT = [(core, name) for core, row in CORES.items() for name, build in BUILDS.items() if build.compiler in row.flags]
PAIRS = [(core, name) for core, name in BUILT if name in ("clang", "gcc") and core != "avr"]
EMULATED = [core for core in CORES if core != "avr"]
ARM_PAIRS = [(core, compiler) for core, compiler in PAIRS if core in ARM]
THUMB2_PAIRS = [pair for pair in ARM_PAIRS if pair[0] != "cortex-m0plus"]


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Measurements are kept nowhere else; the compiler's own library, slow to build, stays in the user's cache."""
    monkeypatch.setattr(store, "cache_folder", lambda part: tmp_path / part)
    return tmp_path / "measured"


def need(compiler: str, core: str = "cortex-m3") -> None:
    if core not in available_compilers().get(compiler, ()):
        pytest.skip(f"{compiler} for {core} is not installed: {compiler_of(CORES[core], compiler).advice}")


def run(text: str, call: Call, core: str, compiler: str = "clang") -> Measurement:
    need(compiler, core)
    return measure({"model.c": text}, [call], core, compiler)


def assembler(name: str, lines: str, core: str) -> str:
    """C text whose one function is the lines, separated by semicolons."""
    thumb = ".syntax unified; .thumb_func;" if core in ARM else ""
    head = f'.section .text.{name},\\"ax\\",%progbits; .global {name}; .type {name},%function; {thumb} {name}:'
    all_lines = [line.strip() for line in f"{head};{lines};.size {name},.-{name}".split(";")]
    return "__asm__(" + "".join(f'"{line}\\n"' for line in all_lines if line) + ");"


LOOP = {"arm": "1: subs r0,#1; bne 1b; bx lr", "riscv": "1: addi a0,a0,-1; bnez a0,1b; ret"}
# 10 subtractions, 9 branches taken, 1 not, and the return
LOOP_CYCLES = {"cortex-m0plus": (31, 31), "rv32imc": (31, 41)}


@pytest.mark.parametrize(("core", "compiler"), PAIRS)
def test_a_loop_of_known_length(core: str, compiler: str) -> None:
    text = assembler("loop", LOOP[CORES[core].family], core)
    cost = run(text, Call("loop", [(10,), (1,), (1000,)]), core, compiler).costs[0]
    assert cost.instructions.tolist() == [21, 3, 2001]
    assert (cost.cycles_lo[0], cost.cycles_hi[0]) == LOOP_CYCLES.get(core, (31, 51))
    assert cost.results is None
    assert cost.stack_bytes.tolist() == [0, 0, 0]


@pytest.mark.parametrize(("core", "compiler"), THUMB2_PAIRS)
def test_instructions_whose_condition_fails_are_counted(core: str, compiler: str) -> None:
    text = assembler("it", "cmp r0,#0; itte eq; moveq r0,#1; addeq r0,r0,r1; movne r0,#5; bx lr", core)
    cost = run(text, Call("it", [(0, 6), (3, 6)], "int32"), core, compiler).costs[0]
    assert cost.results is not None
    assert cost.results.tolist() == [7, 5]
    assert cost.instructions.tolist() == [6, 6]
    assert cost.cycles_lo.tolist() == [6, 6]  # IT folded, the return takes 2
    assert cost.cycles_hi.tolist() == [9, 9]


@pytest.mark.parametrize(("core", "compiler"), THUMB2_PAIRS)
def test_a_conditional_return_splits_no_count(core: str, compiler: str) -> None:
    text = assembler("early", "cmp r0,#0; it eq; bxeq lr; adds r0,#1; bx lr", core)
    cost = run(text, Call("early", [(0,), (3,)], "int32"), core, compiler).costs[0]
    assert cost.instructions.tolist() == [3, 5]


# Snippets between "movs r3,#0" (1 cycle) and "bx lr" (2 on the M0+, 2 to 4 elsewhere): core, lines, lo, hi.
SNIPPETS = [
    ("cortex-m0plus", "ldr r1,[r0]; str r1,[r0]", 4, 4),
    ("cortex-m0plus", "push {r4,r5,lr}; pop {r4,r5}; pop {r2}; mov lr,r2", 4 + 3 + 2 + 1, 4 + 3 + 2 + 1),
    ("cortex-m0plus", "muls r3,r3,r3; bl 2f; nop; 2: mov lr,r2", 1 + 3 + 1, 1 + 3 + 1),
    ("cortex-m3", "mla r1,r3,r3,r3; smull r1,r2,r3,r3", 2 + 3, 2 + 5),
    ("cortex-m4f", "mla r1,r3,r3,r3; smull r1,r2,r3,r3", 2, 2),
    ("cortex-m4f", "ldr r1,[r0]; ldr r2,[r0,#4]; str r2,[r0,#8]", 2 + 1 + 1, 2 + 2 + 2),
    ("cortex-m4f", "adds r2,r0,#4; ldr r1,[r2]", 1 + 2, 1 + 3),
    ("cortex-m4f", "vldr s0,[r0]; vldr d1,[r0,#8]; vstr s0,[r0]", 2 + 3 + 2, 2 + 3 + 2),
    ("cortex-m4f", "vldmia r0,{s0-s3}; vpush {d8-d9}; vpop {d8-d9}", 5 + 5 + 5, 5 + 5 + 5),
    ("cortex-m4f", "vmul.f32 s0,s0,s0; nop; vadd.f32 s1,s0,s0; vadd.f32 s2,s1,s1; nop", 5, 6),
    ("cortex-m4f", "vfma.f32 s0,s1,s1; nop; vdiv.f32 s0,s1,s1; nop; vsqrt.f32 s0,s1; nop", 34, 34),
    ("cortex-m33", "sdiv r1,r1,r3; nop", 3, 13),
    ("cortex-m33", "vcmp.f32 s0,s1; vmrs APSR_nzcv,fpscr; vselgt.f32 s2,s0,s1; vrinta.f32 s3,s0", 4, 4),
]


@pytest.mark.parametrize(("core", "lines", "lo", "hi"), SNIPPETS)
def test_cycles_of_instructions(core: str, lines: str, lo: int, hi: int) -> None:
    text = assembler("snippet", f"movs r3,#0; mov r2,lr; {lines}; bx lr", core)
    back = (2, 2) if core == "cortex-m0plus" else (2, 4)
    cost = run(text, Call("snippet", [(np.ones(64, np.float32),)]), core).costs[0]
    assert (cost.cycles_lo[0], cost.cycles_hi[0]) == (2 + lo + back[0], 2 + hi + back[1])


STACK = {
    "arm": "push {r4,lr}; sub sp,#64; str r0,[sp]; add sp,#64; pop {r4,pc}",
    "riscv": "addi sp,sp,-80; sw ra,76(sp); sw a0,8(sp); addi sp,sp,80; ret",
}


@pytest.mark.parametrize("core", EMULATED)
def test_the_stack_is_exact_to_the_word(core: str) -> None:
    text = assembler("deep", STACK[CORES[core].family], core)
    cost = run(text, Call("deep", [(1,), (2,)]), core).costs[0]
    assert cost.stack_bytes.tolist() == [72, 72]


ARRAY = """#include <stdint.h>
int32_t array(int32_t a) { volatile int32_t b[16]; for (int i = 0; i < 16; i++) b[i] = a; return b[a & 15]; }"""


@pytest.mark.parametrize(("core", "compiler"), PAIRS)
def test_the_stack_of_an_array_of_64_bytes(core: str, compiler: str) -> None:
    stack = run(ARRAY, Call("array", [(3,)], "int32"), core, compiler).costs[0].stack_bytes[0]
    assert 64 <= stack <= 80


SECTIONS = """#include <stdint.h>
const uint8_t table[100] = {1, 2, 3};
int32_t start[3] = {10, 20, 30};
int32_t zeros[10];
static const uint8_t unused[1000] = {1};
const uint8_t *nobody(void) { return unused; }
int32_t use(int32_t i) { zeros[i] += 1; start[0] += 1; return table[i] + start[i] + zeros[i]; }"""


@pytest.mark.parametrize(("core", "compiler"), PAIRS)
def test_sections_hold_what_the_function_reaches_and_variables_last(core: str, compiler: str) -> None:
    found = run(SECTIONS, Call("use", [(0,), (0,), (2,)], "int32", ("start", "zeros")), core, compiler)
    assert (found.rodata_bytes, found.data_bytes, found.bss_bytes) == (100, 12, 40)
    assert 0 < found.text_bytes < 120
    assert found.flash_bytes == found.text_bytes + 112
    assert found.static_ram_bytes == 52
    cost = found.costs[0]
    assert cost.results is not None
    assert cost.results.tolist() == [1 + 11 + 1, 1 + 12 + 2, 3 + 30 + 1]
    assert np.frombuffer(cost.variables["start"], "<i4").tolist() == [13, 20, 30]
    assert np.frombuffer(cost.variables["zeros"], "<i4").tolist() == [2, 0, 1] + 7 * [0]


FLOATS = """#include <stdint.h>
float mix(float a, const float *x, int32_t n, float b, float *y)
{ float s = b; for (int32_t i = 0; i < n; i++) { y[i] = a * x[i]; s += y[i] / (1.0f + x[i] * x[i]); } return s; }
int32_t narrow(const int8_t *q, int16_t *r) { for (int i = 0; i < 4; i++) r[i] = (int16_t)(q[i] * 3); return -7; }"""
FOUR = ["cortex-m0plus", "cortex-m3"]  # soft floats: the fifth argument of mix has no register there


@pytest.mark.parametrize(("core", "compiler"), [pair for pair in PAIRS if pair[0] not in FOUR])
def test_floats_and_arrays_in_and_out(core: str, compiler: str) -> None:
    x = np.array([[1.5, -2.0, 1e-40], [0.25, 3e38, -0.0]], np.float32)  # denormals and overflow included
    call = Call("mix", [(0.1, row, 3, np.float32(2.5), np.zeros(3, np.float32)) for row in x], "float32")
    cost = run(FLOATS, call, core, compiler).costs[0]
    with np.errstate(over="ignore"):
        y = np.float32(0.1) * x
        expected = 2.5 + (y / (1 + x * x)).sum(1)
    np.testing.assert_array_equal(cost.arrays[0], x)
    np.testing.assert_array_equal(cost.arrays[1], y)
    np.testing.assert_allclose(cost.results, expected, rtol=1e-6)


SMALL = "float mean(float a, float b) { return 0.5f * (a + b); }"


@pytest.mark.parametrize(("core", "compiler"), PAIRS)
def test_float_arguments_and_results(core: str, compiler: str) -> None:
    cost = run(SMALL, Call("mean", [(1.0, 2.0), (-3.0, np.inf)], "float32"), core, compiler).costs[0]
    assert cost.results is not None
    assert cost.results.tolist() == [1.5, np.inf]


@pytest.mark.parametrize(("core", "compiler"), PAIRS)
def test_integers_keep_their_type(core: str, compiler: str) -> None:
    q = np.array([-128, -1, 0, 127], np.int8)
    cost = run(FLOATS, Call("narrow", [(q, np.zeros(4, np.int16))], "int32"), core, compiler).costs[0]
    assert cost.results is not None
    assert cost.results.tolist() == [-7]
    assert cost.arrays[1].tolist() == [[-384, -3, 0, 381]]
    assert cost.arrays[1].dtype == np.int16


@pytest.mark.parametrize(("core", "compiler"), [pair for pair in PAIRS if pair[0] in ("cortex-m0plus", "rv32imc")])
def test_blocks_and_single_steps_agree_where_nothing_is_conditional(core: str, compiler: str) -> None:
    """The second implementation: unicorn's hook on every instruction, right on cores without IT."""
    import unicorn

    need(compiler, core)
    built = toolchains.build({"model.c": DIVISIONS}, ["f"], CORES[core], compiler)
    machine = emulator.Machine(built, CORES[core])
    x = np.linspace(-3, 3, 8, dtype=np.float32)
    steps: list[int] = []
    hook = machine._uc.hook_add(unicorn.UC_HOOK_CODE, lambda uc, address, size, data: steps.append(address))
    done = machine.call("f", (x,), "float32")
    machine._uc.hook_del(hook)
    assert Counter(CORES[core], machine.memory).count(done.trace).instructions == len(steps) > 5000


DIVISIONS = """float f(const float *x)
{ float s = 0; for (int i = 0; i < 40; i++) s += x[i & 7] / (1 + s * s); return s; }"""
ROUNDED = """#include <stdint.h>
int32_t r(float a) { return (int32_t)(a < 0 ? a - 0.5f : a * 3 + 0.5f) / 7; }"""


@pytest.mark.parametrize(("core", "compiler"), PAIRS)
def test_every_executed_instruction_is_known_and_counted_once(core: str, compiler: str) -> None:
    need(compiler, core)
    built = toolchains.build({"f.c": DIVISIONS, "r.c": ROUNDED}, ["f", "r"], CORES[core], compiler)
    machine = emulator.Machine(built, CORES[core])
    counter = Counter(CORES[core], machine.memory)
    calls: list[tuple[str, tuple[Any, ...]]] = [("f", (np.ones(8, np.float32),)), ("r", (-2.5,)), ("r", (9.5,))]
    for function, row in calls:
        trace = machine.call(function, row, None).trace
        names: set[str] = set()
        for block in map(int, trace):
            at, size = block >> emulator.SIZE_BITS, block & (2**emulator.SIZE_BITS - 1)
            code = machine.memory(at, size)
            items = counter._disassemble(code, at)
            assert len(items) == LENGTHS[CORES[core].family](code)
            names |= {item.name for item in items}
        assert ".byte" not in names


def test_measuring_again_gives_the_same_and_a_kept_result_builds_nothing(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = Call("mean", [(1.0, 2.0), (5.0, 2.0)], "float32")
    first = run(SMALL, call, "cortex-m0plus")
    (entry,) = kept.rglob("*.npz")
    entry.unlink()
    assert repr(run(SMALL, call, "cortex-m0plus")) == repr(first)
    monkeypatch.setattr(measured.toolchains, "build", lambda *_: pytest.fail("built again"))
    assert repr(run(SMALL, call, "cortex-m0plus")) == repr(first)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"no archive"])
def test_a_damaged_entry_is_measured_again(kept: Path, content: bytes) -> None:
    call = Call("mean", [(1.0, 2.0)], "float32")
    first = run(SMALL, call, "cortex-m4f")
    (entry,) = kept.rglob("*.npz")
    whole = entry.read_bytes()
    for damaged in (content, whole[:-30], whole[:200] + b"x" + whole[201:]):
        entry.write_bytes(damaged)
        assert repr(run(SMALL, call, "cortex-m4f")) == repr(first)


def test_whatever_matters_is_in_the_key(kept: Path) -> None:
    run(SMALL, Call("mean", [(1.0, 2.0)], "float32"), "cortex-m4f")
    run(SMALL, Call("mean", [(1.0, 2.5)], "float32"), "cortex-m4f")
    run(SMALL, Call("mean", [(1, 2)], "float32"), "cortex-m4f")
    run(SMALL, Call("mean", [(1.0, 2.0)], "int32"), "cortex-m4f")
    run(SMALL, Call("mean", [(1.0, 2.0)], "float32"), "cortex-m33")
    run(SMALL + "\n", Call("mean", [(1.0, 2.0)], "float32"), "cortex-m4f")
    assert len(list(kept.rglob("*.npz"))) == 6


def test_measurements_run_side_by_side(kept: Path) -> None:
    need("clang")
    rows = [(np.full(8, i, np.float32),) for i in range(8)]
    alone = [run(DIVISIONS, Call("f", [row], "float32"), "cortex-m0plus") for row in rows]
    for entry in kept.rglob("*.npz"):
        entry.unlink()
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda row: run(DIVISIONS, Call("f", [row], "float32"), "cortex-m0plus"), rows))
    assert repr(together) == repr(alone)


ONE = Call("mean", [(1.0, 2.0)], "float32")
LOST = {"model.c": "int g(int); int mean(void) { return g(1); }"}
WRONG: list[tuple[dict[str, str], list[Call], str, str, str]] = [
    ({"model.c": SMALL}, [ONE], "cortex-m7", "clang", r"unknown core 'cortex-m7'; allowed: cortex-m0plus, .*rv32imc"),
    ({"model.c": SMALL}, [ONE], "cortex-m3", "icc", "unknown compiler 'icc'; allowed: clang, gcc, clang-Os"),
    ({"model.c": SMALL}, [ONE], "avr", "clang-Os", "clang-Os does not build for avr; allowed: gcc, gcc-Os"),
    ({"model.c": "int mean( {"}, [ONE], "cortex-m4f", "clang", r"failed with code 1: model.c:1:\d+: error: "),
    (LOST, [ONE], "cortex-m4f", "clang", "failed with code 1: .*undefined symbol: g"),
    ({"model.h": SMALL}, [ONE], "cortex-m4f", "clang", r"no file ends in \.c; got model.h"),
    ({"model.c": SMALL}, [], "cortex-m4f", "clang", "at least one call"),
    ({"model.c": SMALL}, [Call("mean", [])], "cortex-m4f", "clang", "mean has no rows"),
    ({"model.c": SMALL}, [Call("mean", [(1.0, 2.0), (1.0, 2)])], "cortex-m4f", "clang", "must be alike"),
    ({"model.c": SMALL}, [Call("mean", [(2**32,)])], "cortex-m4f", "clang", "32 bits; got 4294967296"),
    ({"model.c": SMALL}, [Call("mean", [(1, 2, 3, 4, 5)])], "cortex-m4f", "clang", "into registers; got 5"),
    ({"model.c": SMALL}, [Call("mode", [(1.0,)])], "cortex-m4f", "clang", "no function mode in the C files"),
    ({"model.c": SMALL}, [Call("mean", [(1.0, 2.0)], None, ("x",))], "cortex-m4f", "clang", "no variable x"),
    (
        {"model.c": "int r(int n) { volatile int a[99]; a[n & 7] = n; return r(n + 1) + a[n & 7]; }"},
        [Call("r", [(1,)])],
        "cortex-m4f",
        "clang",
        "r failed on cortex-m4f at 0x8",
    ),
    (
        {"model.c": "static const int t[2] = {1, 2}; void w(int i) { *(volatile int *)&t[i] = 3; }"},
        [Call("w", [(1,)])],
        "cortex-m4f",
        "clang",
        "w failed on cortex-m4f at 0x8",
    ),
]


@pytest.mark.parametrize(("files", "calls", "core", "compiler", "message"), WRONG)
def test_what_cannot_be_measured_is_said_in_one_line(
    files: dict[str, str], calls: list[Call], core: str, compiler: str, message: str
) -> None:
    need("clang")
    with pytest.raises(MeasureError, match=message) as caught:
        measure(files, calls, core, compiler)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("core", EMULATED)
def test_an_endless_loop_ends(core: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulator, "MAX_BLOCKS", 10_000)
    with pytest.raises(MeasureError, match="spin did not return within 10000 basic blocks"):
        run("void spin(volatile int *p) { while (*p) {} }", Call("spin", [(np.ones(1, np.int32),)]), core)


@pytest.mark.parametrize(
    ("compiler", "message"),
    [("clang", r"pip install 'neuraltree\[measure\]'"), ("gcc", "install arm-none-eabi-gcc")],
)
def test_a_missing_compiler_says_how_to_get_it(compiler: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = toolchains.COMPILERS[compiler, "arm"]
    monkeypatch.setitem(toolchains.COMPILERS, (compiler, "arm"), dataclasses.replace(row, locate=lambda: None))
    assert "cortex-m3" not in available_compilers().get(compiler, ())
    with pytest.raises(MeasureError, match=f"{compiler} is not here: {message}"):
        measure({"model.c": SMALL}, [ONE], "cortex-m3", compiler)


def test_a_broken_compiler_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    row = toolchains.COMPILERS["gcc", "arm"]
    broken = dataclasses.replace(row, locate=lambda: "/no/such/gcc")
    monkeypatch.setitem(toolchains.COMPILERS, ("gcc", "arm"), broken)
    with pytest.raises(MeasureError, match="gcc is installed but does not run"):
        measure({"model.c": SMALL}, [ONE], "cortex-m3", "gcc")


def test_a_missing_emulator_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchains, "PARTS", ("unicorn", "no_such_part"))
    assert available_compilers() == {}
    with pytest.raises(MeasureError, match="needs the package no_such_part: pip install"):
        measure({"model.c": SMALL}, [ONE], "cortex-m3")


def test_importing_loads_neither_emulator_nor_disassembler() -> None:
    code = "import neuraltree.hardware.measure as m, sys; m.available_compilers(); print({*sys.modules} & {*sys.argv})"
    names = ["unicorn", "capstone", "elftools", "ziglang", "jax"]
    done = subprocess.run([sys.executable, "-c", code, *names], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_callgrind_counts_the_call_alone() -> None:
    text = "int total; void loop(volatile signed char *x, int n, float a) { while (n--) total += x[0] + (a > 1); }"
    try:
        counts = [host_instructions({"m.c": text}, Call("loop", [(np.ones(4, np.int8), n, 0.5)])) for n in (10, 20, 30)]
        both = host_instructions({"m.c": text}, Call("loop", [(np.ones(4, np.int8), n, 0.5) for n in (10, 20)]))
    except MeasureError as error:
        pytest.skip(str(error))
    assert counts[2] - counts[1] == counts[1] - counts[0] > 0
    assert both == (counts[0] + counts[1]) / 2
    with pytest.raises(MeasureError, match="undefined reference"):
        host_instructions({"m.c": text}, Call("other", [(1,)]))


def test_a_cache_that_cannot_be_written_to_costs_only_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    compiler_folder.cache_clear()
    try:
        assert compiler_folder().is_dir()
        assert tmp_path not in compiler_folder().parents
    finally:
        compiler_folder.cache_clear()
