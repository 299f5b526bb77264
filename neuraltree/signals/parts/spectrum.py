"""The power of each bin of a Fourier transform in integers of 16 bits.

The newest 8 to 256 samples of the window, a power of two, less their mean, are scaled to 14 bits with the sign apart
and go as complex numbers, two samples each, through a transform that halves at each stage; so no stage overflows. Each
complex number is packed into 32 bits, and the powers take the same places at the end: no other RAM is needed.

Values: ``[0]`` the scale, 2^(value − 2); ``[k]`` the square of the amplitude, times the scale, of k cycles.
"""

import numpy as np

from neuraltree.signals.parts.part import Part, Window
from neuraltree.signals.sample_integers import SINES, bit_length, fft_size, quotient
from neuraltree.tree.nodes import IntArray

HALF = 1 << 14


def _spectrum(w: Window) -> IntArray:
    size = fft_size(w.x.shape[1])
    x = w.x[:, -size:]
    x = x - quotient(x.sum(axis=1), size)[:, None]
    scale = np.minimum(16 - bit_length(np.abs(x).max(axis=1)), 15)
    x = ((x << scale[:, None]) >> 2).astype(np.int32)
    order = _reversed_bits(size // 2)
    re, im = _transformed(x[:, 0::2][:, order], x[:, 1::2][:, order])
    return np.column_stack([scale, _powers(re, im)])


def _reversed_bits(size: int) -> IntArray:
    order = np.zeros(1, dtype=np.int64)
    while len(order) < size:
        order = np.concatenate([2 * order, 2 * order + 1])
    return order


def _turned(re: IntArray, im: IntArray, turns: IntArray) -> tuple[IntArray, IntArray]:
    """Turned back by so many 256ths, times 2^14."""
    cos, sin = (SINES[turns + shift & 255].astype(np.int32) for shift in (64, 0))
    return re * cos + im * sin, im * cos - re * sin


def _transformed(re: IntArray, im: IntArray) -> tuple[IntArray, IntArray]:
    windows, size = re.shape
    h = 1
    while h < size:
        a_re, a_im = (v.reshape(windows, -1, 2, h)[:, :, 0] * HALF + HALF for v in (re, im))
        b_re, b_im = (v.reshape(windows, -1, 2, h)[:, :, 1] for v in (re, im))
        b_re, b_im = _turned(b_re, b_im, np.arange(h) * (128 // h))
        re, im = (
            (np.stack([a + b, a - b], axis=2) >> 15).reshape(windows, size) for a, b in ((a_re, b_re), (a_im, b_im))
        )
        h *= 2
    return re, im


def _powers(re: IntArray, im: IntArray) -> IntArray:
    """Of all bins but that of the mean, from the transform of the even samples + i times the odd ones."""
    windows, half = re.shape
    k = np.arange(1, half // 2 + 1)
    even = (re[:, k] + re[:, half - k]) * HALF + HALF, (im[:, k] - im[:, half - k]) * HALF + HALF
    odd = _turned(im[:, k] + im[:, half - k], re[:, half - k] - re[:, k], k * (128 // half))
    found = np.empty((windows, half - 1), dtype=np.int64)
    for bins, sign in ((half - k, -1), (k, 1)):
        a, b = (((e + sign * o) >> 15).astype(np.int64) for e, o in zip(even, odd, strict=True))
        found[:, bins - 1] = a * a + b * b
    return found


SPECTRUM = Part(
    "spectrum",
    "the power of each bin of a Fourier transform of the newest 8, 16, ... or 256 samples",
    _spectrum,
    c_type="uint32_t",
    c="""static void nt_spectrum(const int16_t *x, int n, uint32_t *values) {
    const int size = nt_fft_size(n), half = size / 2;
    int32_t mean = 0, top = 0;
    int scale = 15;
    x += n - size;
    for (int i = 0; i < size; i++) mean += x[i];
    mean /= size;
    for (int i = 0; i < size; i++) {
        const int32_t d = x[i] - mean, distance = d < 0 ? -d : d;
        if (distance > top) top = distance;
    }
    while (top >> (16 - scale)) scale--;
    for (int i = 0, place = 0; i < half; i++) {
        int bit = half >> 1;
        values[place] = nt_packed((x[2 * i] - mean) * ((int32_t)1 << scale) >> 2,
                                  (x[2 * i + 1] - mean) * ((int32_t)1 << scale) >> 2);
        while (place & bit) { place ^= bit; bit >>= 1; }
        place |= bit;
    }
    for (int h = 1; h < half; h *= 2)
        for (int j = 0; j < h; j++) {
            const uint32_t turn = (uint32_t)(j * (128 / h));
            const int32_t c = nt_sine(turn + 64), s = nt_sine(turn);
            for (int k = j; k < half; k += 2 * h) {
                const int32_t a_re = nt_re(values[k]) * 16384 + 16384, a_im = nt_im(values[k]) * 16384 + 16384;
                const int32_t re = nt_re(values[k + h]), im = nt_im(values[k + h]);
                const int32_t b_re = re * c + im * s, b_im = im * c - re * s;
                values[k] = nt_packed((a_re + b_re) >> 15, (a_im + b_im) >> 15);
                values[k + h] = nt_packed((a_re - b_re) >> 15, (a_im - b_im) >> 15);
            }
        }
    for (int k = 1; k <= half / 2; k++) {
        const uint32_t turn = (uint32_t)(k * (128 / half)), u = values[k], v = values[half - k];
        const int32_t c = nt_sine(turn + 64), s = nt_sine(turn);
        const int32_t e_re = (nt_re(u) + nt_re(v)) * 16384 + 16384, e_im = (nt_im(u) - nt_im(v)) * 16384 + 16384;
        const int32_t re = nt_im(u) + nt_im(v), im = nt_re(v) - nt_re(u);
        const int32_t o_re = re * c + im * s, o_im = im * c - re * s;
        values[half - k] = nt_power((e_re - o_re) >> 15, (e_im - o_im) >> 15);
        values[k] = nt_power((e_re + o_re) >> 15, (e_im + o_im) >> 15);
    }
    values[0] = (uint32_t)scale;
}""",
    functions=("fft_size", "sine", "complex"),
    values=lambda n: fft_size(n) // 2,
)
