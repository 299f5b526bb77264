"""Helpers in C that parts and features share; each stands once in the code that calls it."""

# By name: the text, and the helpers that it calls itself.
C_FUNCTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "root": (
        """static uint32_t nt_root(uint64_t v) {
    uint64_t found = 0, bit = (uint64_t)1 << 62;
    while (bit) {
        if (v >= found + bit) { v -= found + bit; found = (found >> 1) + bit; } else found >>= 1;
        bit >>= 2;
    }
    return (uint32_t)found;
}""",
        (),
    ),
}
