"""The program that measures calls on an AVR: it makes each call between readings of two timers and reports in hex.

Timer 1 counts cycles, timer 3 counts 1024ths of them. A call of an empty function of the same type comes first; what it
takes is what the measuring takes. The stack is painted before a call and searched for the deepest change afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from neuraltree.hardware.measure.calls import Call
from neuraltree.hardware.measure.cores import MeasureError
from neuraltree.hardware.measure.emulator import Argument
from neuraltree.hardware.measure.host import RESULTS

REGISTER_BYTES = 18  # of arguments that travel in registers, r25 down to r8
REPORT = np.dtype([("low", "<u2"), ("high", "<u2"), ("empty_low", "<u2"), ("empty_high", "<u2"), ("stack", "<u2")])

HEAD = """#include <stdint.h>
#include <avr/pgmspace.h>

#define NT_8(address) (*(volatile uint8_t *)(address))
#define NT_16(address) (*(volatile uint16_t *)(address))
#define NT_TIMER_1 NT_16(0x84)
#define NT_TIMER_3 NT_16(0x94)
#define NT_STACK NT_16(0x5D)

extern uint8_t __heap_start;
static volatile uint16_t nt_report[5];
static uint8_t nt_column;

/* One byte as two hex digits through the serial port; a line has 32 bytes. */
static void nt_put(char c)
{
    while (!(NT_8(0xC0) & 0x20)) { }
    NT_8(0xC6) = (uint8_t)c;
}

static void nt_send(const volatile void *from, uint16_t n)
{
    const volatile uint8_t *at = from;
    for (; n != 0; --n, ++at) {
        nt_put("0123456789abcdef"[*at >> 4]);
        nt_put("0123456789abcdef"[*at & 15]);
        if (++nt_column % 32 == 0) nt_put('\\n');
    }
}

__attribute__((naked, noinline)) static void nt_empty(void) { __asm__ volatile("ret"); }
"""
CALL = """
{declared};
static const uint8_t nt_rows_{i}[] PROGMEM = {{{rows}}};
static union {{ {result_type} value; uint8_t bytes[4]; }} nt_result_{i};

__attribute__((noinline)) static void nt_call_{i}(void (*function)(void))
{{
    {result} (*call)({types}) = ({result} (*)({types}))function;
{load}    nt_report[4] = NT_STACK;
    nt_report[1] = NT_TIMER_3;
    nt_report[0] = NT_TIMER_1;
    {store}call({names});
    nt_report[0] = NT_TIMER_1 - nt_report[0];
    nt_report[1] = NT_TIMER_3 - nt_report[1];
}}

__attribute__((noinline)) static void nt_measure_{i}(void)
{{
    uint8_t row, paint = 0xC5;
    uint16_t i;
    volatile uint8_t *at;
    const uint8_t *next = nt_rows_{i};
    for (row = 0; row < {count}; ++row, paint += 29) {{
        for (i = 0; i < {size}; ++i) nt_memory[i] = pgm_read_byte(next++);
        nt_call_{i}(nt_empty);
        nt_report[2] = nt_report[0];
        nt_report[3] = nt_report[1];
        for (at = &__heap_start; at <= (uint8_t *)NT_STACK; ++at) *at = paint;
        nt_call_{i}((void (*)(void)){function});
        for (at = &__heap_start; *at == paint; ++at) {{ }}
        nt_report[4] = nt_report[4] + 1 - (uint16_t)at;
        nt_send(nt_report, sizeof nt_report);
{send}    }}
{variables}}}
"""
MAIN = """
int main(void)
{{
    NT_8(0xC0) = 2;
    NT_8(0xC1) = 8;
    NT_8(0x81) = 1;
    NT_8(0x91) = 5;
{calls}    nt_put('\\n');
    NT_8(0x53) = 1;
    __asm__ volatile("cli\\n\\tsleep");
    for (;;) {{ }}
}}
"""


def firmware(calls: Sequence[Call], sizes: Mapping[str, int]) -> str:
    """The C text of the program; ``sizes``: bytes of the variables that the calls name."""
    room = max(_layout(call.rows[0])[1] for call in calls)
    memory = f"static uint8_t nt_memory[{max(room, 1)}];\n"
    measured = [_call(i, call, sizes) for i, call in enumerate(calls)]
    main = MAIN.format(calls="".join(f"    nt_measure_{i}();\n" for i in range(len(calls))))
    return "".join([HEAD, memory, *measured, main])


def _call(i: int, call: Call, sizes: Mapping[str, int]) -> str:
    first, (places, size) = call.rows[0], _layout(call.rows[0])
    result, types = RESULTS[call.result], ", ".join(map(_type, first)) or "void"
    sizes_of = zip(places, (len(_content(argument)) for argument in first), map(_is_array, first), strict=True)
    result_sent = [f"nt_send(nt_result_{i}.bytes, 4);"] if call.result else []
    sent = result_sent + [
        f"nt_send(nt_memory + {place}, {length});" for place, length, is_array in sizes_of if is_array
    ]
    return CALL.format(
        i=i,
        declared=f"{result} {call.function}({types})",
        rows=", ".join(str(byte) for row in call.rows for byte in _bytes(row)) or "0",
        result_type="float" if call.result == "float32" else "int32_t",
        result=result,
        types=types,
        load="".join(map(_load, range(len(first)), first, places)),
        store=f"nt_result_{i}.value = " if call.result else "",
        names=", ".join(f"a{j}" for j in range(len(first))),
        count=len(call.rows),
        size=size,
        function=call.function,
        send="".join(f"        {line}\n" for line in sent),
        variables="".join(_variable(name, sizes[name]) for name in call.variables),
    )


def _variable(name: str, size: int) -> str:
    return f"    {{ extern uint8_t {name}[]; nt_send({name}, {size}); }}\n"


def _load(j: int, argument: Argument, place: int) -> str:
    kind = _type(argument)
    return f"    {kind} a{j} = {'' if _is_array(argument) else f'*({kind} *)'}(nt_memory + {place});\n"


def _is_array(argument: Argument) -> bool:
    return isinstance(argument, np.ndarray)


def _type(argument: Argument) -> str:
    if _is_array(argument):
        return "void *"
    return "float" if isinstance(argument, float | np.floating) else "int32_t"


def _layout(row: Sequence[Argument]) -> tuple[list[int], int]:
    """The places of the arguments in the program's buffer, and their bytes in all."""
    if sum(2 if _is_array(argument) else 4 for argument in row) > REGISTER_BYTES:
        raise MeasureError(f"arguments on avr must fit into registers; got {len(row)}")
    ends = np.cumsum([0, *(len(_bytes([argument])) for argument in row)]).tolist()
    return ends[:-1], ends[-1]


def _bytes(row: Sequence[Argument]) -> bytes:
    return b"".join(map(_content, row))


def _content(argument: Argument) -> bytes:
    if isinstance(argument, np.ndarray):
        return argument.tobytes()
    if isinstance(argument, float | np.floating):
        return np.float32(argument).tobytes()
    if -(2**31) <= argument < 2**32:
        return (int(argument) & 0xFFFF_FFFF).to_bytes(4, "little")
    raise MeasureError(f"an integer argument has 32 bits; got {argument}")
