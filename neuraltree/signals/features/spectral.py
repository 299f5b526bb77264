"""Features of the spectrum, and the amplitude of one frequency alone."""

from collections.abc import Mapping

import numpy as np

from neuraltree.signals.features.feature import Feature
from neuraltree.signals.sample_integers import SINES, fft_size, quotient, root
from neuraltree.tree.nodes import IntArray

OF_RATE = 1 << 15  # a frequency of the sampling rate


def _octaves(n: int) -> int:
    return fft_size(n).bit_length() - 2


def _band(parts: Mapping[str, IntArray], n: int, octave: int) -> IntArray:
    powers, first = parts["spectrum"], fft_size(n) >> (octave + 1)
    return root(32 * powers[:, first : 2 * first].sum(axis=1)) >> (powers[:, 0] + 1)


# With P the squares of amplitudes times the scale 2^(s − 2), √(Σ P / 2) is √(32 Σ P) / 8.
BAND = Feature(
    "band",
    "the root of the mean square of an octave: 1 from a quarter of the sampling rate to a half, 2 the one below ...",
    reads=("spectrum",),
    integer=_band,
    c="""static int32_t nt_band(const uint32_t *spectrum, int n, int parameter) {
    const int first = nt_fft_size(n) >> (parameter + 1);
    uint32_t power = 0;
    for (int k = first; k < 2 * first; k++) power += spectrum[k];
    return (int32_t)(nt_root((uint64_t)power * 32) >> (spectrum[0] + 1));
}""",
    functions=("fft_size", "root"),
    parameters=lambda n, rate_hz: tuple(range(1, min(_octaves(n), 6) + 1)),
    allowed=lambda n: (1, _octaves(n)),
)


def _centroid(parts: Mapping[str, IntArray], n: int, parameter: int) -> IntArray:
    powers = parts["spectrum"][:, 1:]
    moment = powers @ np.arange(1, powers.shape[1] + 1)
    return quotient(moment * (OF_RATE // fft_size(n)), powers.sum(axis=1))


CENTROID = Feature(
    "centroid",
    "the mean frequency, weighted with the power; of the sampling rate",
    reads=("spectrum",),
    integer=_centroid,
    c="""static int32_t nt_centroid(const uint32_t *spectrum, int n, int parameter) {
    const int size = nt_fft_size(n);
    uint64_t moment = 0;
    uint32_t power = 0;
    (void)parameter;
    for (int k = 1; k < size / 2; k++) {
        power += spectrum[k];
        moment += (uint64_t)spectrum[k] * (uint32_t)k;
    }
    return power ? (int32_t)(moment * (uint32_t)(32768 / size) / power) : 0;
}""",
    scale=OF_RATE,
    functions=("fft_size",),
)


def _peak(parts: Mapping[str, IntArray], n: int, parameter: int) -> IntArray:
    return (np.argmax(parts["spectrum"][:, 1:], axis=1) + 1) * (OF_RATE // fft_size(n))


PEAK = Feature(
    "peak",
    "the frequency with the greatest power, the lowest of equal ones; of the sampling rate",
    reads=("spectrum",),
    integer=_peak,
    c="""static int32_t nt_peak(const uint32_t *spectrum, int n, int parameter) {
    const int size = nt_fft_size(n);
    int best = 1;
    (void)parameter;
    for (int k = 2; k < size / 2; k++) if (spectrum[k] > spectrum[best]) best = k;
    return best * (32768 / size);
}""",
    scale=OF_RATE,
    functions=("fft_size",),
)


def _tone(parts: Mapping[str, IntArray], n: int, cycles: int) -> IntArray:
    step = (cycles << 32) // n
    turns = ((np.arange(n) * step + (1 << 23)) >> 24) & 255
    d = parts["window"] - quotient(parts["sum"], n)[:, None]
    re, im = (d @ SINES[turns + shift & 255] >> 10 for shift in (64, 0))
    return quotient(root(re * re + im * im), 8 * n)


# The sums have 14 bits more than the samples: 4 of them stay, and an amplitude is the magnitude times 2 / n.
TONE = Feature(
    "tone",
    "the amplitude of so many cycles per window; angles are rounded to 256ths of a turn",
    reads=("window", "sum"),
    integer=_tone,
    c="""static int32_t nt_tone(const int16_t *x, int32_t sum, int n, int parameter) {
    const int32_t mean = sum / n;
    const uint32_t step = (uint32_t)(((uint64_t)(uint32_t)parameter << 32) / (uint32_t)n);
    uint32_t angle = (uint32_t)1 << 23;
    int64_t re = 0, im = 0;
    for (int i = 0; i < n; i++) {
        const int32_t d = x[i] - mean;
        re += d * nt_sine((angle >> 24) + 64);
        im += d * nt_sine(angle >> 24);
        angle += step;
    }
    re >>= 10;
    im >>= 10;
    return (int32_t)(nt_root((uint64_t)(re * re + im * im)) / (8 * (uint32_t)n));
}""",
    functions=("sine", "root"),
    parameters=lambda n, rate_hz: tuple(k for k in (1, 2, 3, 4, 6, 8) if k <= n // 4),
    allowed=lambda n: (1, (n - 1) // 2),
)
