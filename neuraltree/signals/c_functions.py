"""Helpers in C that parts and features share; each stands once in the code that calls it."""

from neuraltree.signals.sample_integers import QUARTER_WAVE

# By name: the text, and the helpers that it calls itself.
C_FUNCTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "root32": (
        """static uint32_t nt_root32(uint32_t v) {
    uint32_t found = 0;
    for (uint32_t bit = (uint32_t)1 << 30; bit; bit >>= 2) {
        const uint32_t next = found + bit;
        found >>= 1;
        if (v >= next) { v -= next; found += bit; }
    }
    return found;
}""",
        (),
    ),
    # Two bits of v a step: 16 steps on its upper half alone, then 16 with the lower half below the remainder.
    "root": (
        """static uint32_t nt_root(uint64_t v) {
    uint32_t high = (uint32_t)(v >> 32), upper = 0;
    uint64_t rest, found;
    if (!high) return nt_root32((uint32_t)v);
    for (uint32_t bit = (uint32_t)1 << 30; bit; bit >>= 2) {
        const uint32_t next = upper + bit;
        upper >>= 1;
        if (high >= next) { high -= next; upper += bit; }
    }
    rest = (uint64_t)high << 32 | (uint32_t)v;
    found = (uint64_t)upper << 32;
    for (uint32_t bit = (uint32_t)1 << 30; bit; bit >>= 2) {
        const uint64_t next = found + bit;
        found >>= 1;
        if (rest >= next) { rest -= next; found += bit; }
    }
    return (uint32_t)found;
}""",
        ("root32",),
    ),
    "ranked": (
        """static int32_t nt_ranked(const int16_t *x, int n, int rank) {
    int32_t low = -32768, high = 32767;
    while (low < high) {
        const int32_t middle = low + ((high - low) >> 1);
        int count = 0;
        for (int i = 0; i < n; i++) count += x[i] <= middle;
        if (count >= rank) high = middle; else low = middle + 1;
    }
    return low;
}""",
        (),
    ),
    # The sine of 256ths of a turn, times 2^14.
    "sine": (
        f"""static const int16_t nt_quarter_wave[65] = {{{", ".join(map(str, QUARTER_WAVE))}}};
static int32_t nt_sine(uint32_t turn) {{
    const uint32_t i = turn & 127;
    const int32_t v = nt_quarter_wave[i > 64 ? 128 - i : i];
    return turn & 128 ? -v : v;
}}""",
        (),
    ),
    "fft_size": (
        """static int nt_fft_size(int n) {
    int size = 8;
    while (size < 256 && 2 * size <= n) size *= 2;
    return size;
}""",
        (),
    ),
    # Complex numbers of 16 bits a part in one of 32. Inline: a transform calls them thousands of times.
    "complex": (
        """static inline uint32_t nt_packed(int32_t re, int32_t im) {
    return (uint32_t)(uint16_t)re | (uint32_t)im << 16;
}
static inline int32_t nt_re(uint32_t v) { return (int16_t)(v & 0xffff); }
static inline int32_t nt_im(uint32_t v) { return (int16_t)(v >> 16); }
static inline uint32_t nt_power(int32_t re, int32_t im) { return (uint32_t)(re * re) + (uint32_t)(im * im); }""",
        (),
    ),
    # One step of a filter of the second order: coefficients are 2^22 times, states 2^12 times their values.
    "biquad": (
        """static int32_t nt_biquad(int32_t x, int32_t weighted, const int32_t *constants, int16_t *x1, int16_t *x2,
                         int32_t *y1, int32_t *y2) {
    const int64_t sum = (int64_t)constants[0] * (weighted * 4096) - (int64_t)constants[1] * *y1 -
                        (int64_t)constants[2] * *y2;
    const int32_t y = (int32_t)((sum + 2097152) >> 22);
    *x2 = *x1;
    *x1 = (int16_t)x;
    *y2 = *y1;
    *y1 = y;
    return (y + 2048) >> 12;
}""",
        (),
    ),
}
