"""Features and filters written out in floating point, from the definitions; nothing of the code under test.

Definitions are those of NumPy, SciPy and tsfel (https://tsfel.readthedocs.io) unless a line says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import signal, stats

Floats = NDArray[np.floating]


def _hjorth(x: Floats) -> tuple[float, float]:
    dx = np.diff(x)
    mobility = math.sqrt(np.var(dx) / np.var(x))
    return mobility, math.sqrt(np.var(np.diff(dx)) / np.var(dx)) / mobility


def _autocorrelation(x: Floats, lag: int) -> float:
    d = x - x.mean()
    return float((d[:-lag] * d[lag:]).sum() / (d**2).sum())


def _amplitudes(x: Floats) -> tuple[Floats, int]:
    """Of each bin of the newest 2^k samples, 256 at most; and their number."""
    size = min(256, 2 ** int(math.log2(len(x))))
    part = x[-size:]
    return np.abs(np.fft.rfft(part - part.mean())) * 2 / size, size


def _band(x: Floats, octave: int) -> float:
    amplitudes, size = _amplitudes(x)
    bins = np.arange(len(amplitudes)) / size
    inside = (bins >= 0.5 ** (octave + 1)) & (bins < 0.5**octave) & (bins < 0.5)
    return math.sqrt((amplitudes[inside] ** 2).sum() / 2)


def _centroid(x: Floats) -> float:
    amplitudes, size = _amplitudes(x)
    power = amplitudes[1:-1] ** 2
    return float((power * np.arange(1, size // 2)).sum() / power.sum() / size)


def _peak(x: Floats) -> float:
    amplitudes, size = _amplitudes(x)
    return float(np.argmax(amplitudes[1:-1]) + 1) / size


def _tone(x: Floats, cycles: int) -> float:
    return float(np.abs(np.fft.rfft(x))[cycles] * 2 / len(x))


def _raw(x: Floats, which: int) -> float:
    return float(x[math.ceil(which * len(x) / 16) - 1])


def _crossings(x: Floats) -> float:
    return float(np.count_nonzero(np.diff(np.signbit(x))))


def _mad(x: Floats) -> float:
    def lower(v: Floats) -> float:
        return float(np.percentile(v, 50, method="inverted_cdf"))

    return lower(np.abs(x - lower(x)))


# By name: the value for a window x, the samples before it and in it, the other stream, and the parameter.
FEATURES: dict[str, Callable[[Floats, Floats, Floats, int], float]] = {
    "mean": lambda x, longer, y, p: float(x.mean()),
    "sd": lambda x, longer, y, p: float(x.std()),
    "min": lambda x, longer, y, p: float(x.min()),
    "max": lambda x, longer, y, p: float(x.max()),
    "range": lambda x, longer, y, p: float(np.ptp(x)),
    "rms": lambda x, longer, y, p: math.sqrt((x**2).mean()),
    "mean_abs": lambda x, longer, y, p: float(np.abs(x).mean()),
    "crest": lambda x, longer, y, p: float(np.abs(x).max() / math.sqrt((x**2).mean())),
    "zero_crossings": lambda x, longer, y, p: _crossings(longer),
    "mean_crossings": lambda x, longer, y, p: _crossings(x - x.mean()),
    "slope": lambda x, longer, y, p: float(np.polyfit(np.arange(len(x)), x, 1)[0] * len(x)),
    "raw": lambda x, longer, y, p: _raw(x, p),
    "lag": lambda x, longer, y, p: x[len(x) - 1 - p],
    "percentile": lambda x, longer, y, p: float(np.percentile(x, p, method="inverted_cdf")),
    "mad": lambda x, longer, y, p: _mad(x),
    "skewness": lambda x, longer, y, p: float(stats.skew(x)),
    "kurtosis": lambda x, longer, y, p: float(stats.kurtosis(x, fisher=False)),
    "mobility": lambda x, longer, y, p: _hjorth(x)[0],
    "complexity": lambda x, longer, y, p: _hjorth(x)[1],
    "autocorrelation": lambda x, longer, y, p: _autocorrelation(x, p),
    "correlation": lambda x, longer, y, p: float(np.corrcoef(x, y)[0, 1]),
    "band": lambda x, longer, y, p: _band(x, p),
    "centroid": lambda x, longer, y, p: _centroid(x),
    "peak": lambda x, longer, y, p: _peak(x),
    "tone": lambda x, longer, y, p: _tone(x, p),
}


def _butterworth(kind: str) -> Callable[[Floats, int, float], Floats]:
    def run(x: Floats, millihertz: int, rate_hz: float) -> Floats:
        sections = signal.butter(2, millihertz / 1000, kind, fs=rate_hz, output="sos")
        return np.asarray(signal.sosfilt(sections, x, zi=signal.sosfilt_zi(sections) * x[0])[0])

    return run


# By name: the samples that come out, for samples, a parameter and the sampling rate in Hz.
FILTERS: dict[str, Callable[[Floats, int, float], Floats]] = {
    "delta": lambda x, p, rate_hz: np.concatenate([[0], x[1:] - x[:-1]]),
    "low": _butterworth("lowpass"),
    "high": _butterworth("highpass"),
    "norm": lambda x, p, rate_hz: np.linalg.norm(x, axis=1),
}
