"""C of a program on an AVR that finds how deep its stack has been: before main all RAM that no variable has is painted,
and what is still painted afterwards was never in use. The tests of exported code use it too."""

PAINTED_STACK = """extern uint8_t _end, __stack;
void paint(void) __attribute__((naked, used, section(".init1")));
void paint(void)
{
    __asm volatile("    ldi r30, lo8(_end)\\n    ldi r31, hi8(_end)\\n    ldi r24, 0xc5\\n"
                   "    ldi r25, hi8(__stack)\\n    rjmp 2f\\n1:  st Z+, r24\\n"
                   "2:  cpi r30, lo8(__stack)\\n    cpc r31, r25\\n    brlo 1b\\n    breq 1b\\n");
}

/* The bytes of the deepest stack so far. */
static uint16_t stack_used(void)
{
    const uint8_t *used = &_end;
    while (used <= &__stack && *used == 0xc5) {
        ++used;
    }
    return (uint16_t)(&__stack + 1 - used);
}
"""
