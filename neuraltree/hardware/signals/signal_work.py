"""How the work of the functions of streaming code grows: the numbers that their figures multiply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import log2
from types import MappingProxyType

from neuraltree.signals.sample_integers import fft_size

Work = tuple[float, ...]  # 1, then what grows


def shift_work(numbers: int) -> Work:
    """Of moving so many numbers on."""
    return (float(numbers),)


def merge_work(blocks: int) -> Work:
    """Of merging so many blocks."""
    return (float(blocks),)


def _none(n: int, parameter: int) -> Work:
    return ()


def _samples(n: int, parameter: int) -> Work:
    return (float(n),)


def _spectrum(n: int, parameter: int) -> Work:
    size = fft_size(n)
    return float(size), size * log2(size)


def _bins(n: int, parameter: int) -> Work:
    return (fft_size(n) / 2,)


def _octave(n: int, octave: int) -> Work:
    return (float(fft_size(n) >> (octave + 1)),)


def _lag(n: int, lag: int) -> Work:
    return float(n - lag), float(lag)


# By the name of a filter, a part or a feature; for a filter of axes n is their number. All others take the same time
# for windows of all lengths.
GROWING: Mapping[str, Callable[[int, int], Work]] = MappingProxyType(
    {
        "norm": _samples,
        "central": _samples,
        "difference_squares": _samples,
        "spectrum": _spectrum,
        "mean_crossings": _samples,
        "slope": _samples,
        "percentile": _samples,
        "mad": _samples,
        "complexity": _samples,
        "tone": _samples,
        "autocorrelation": _lag,
        "band": _octave,
        "centroid": _bins,
        "peak": _bins,
    }
)


def work_of(name: str, n: int, parameter: int) -> Work:
    """1 for the call, then what grows with the window of n samples."""
    return (1.0, *GROWING.get(name, _none)(n, parameter))
