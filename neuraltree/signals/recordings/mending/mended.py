"""Raw recordings as recordings: of the same channels, at one rate, without missing samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from neuraltree.signals.recordings.mending.cutting import Cut, cut_of
from neuraltree.signals.recordings.mending.even_samples import Samples, at_rate
from neuraltree.signals.recordings.mending.sample_times import Pace, pace_of, plain_rate
from neuraltree.signals.recordings.raw_recording import RawRecording
from neuraltree.signals.recordings.reading_options import ReadingOptions
from neuraltree.signals.recordings.recording import Recording

SAME = 0.01  # the share by which rates may differ and yet be one


@dataclass(frozen=True)
class Mended:
    """``notes``: what was done, a line each."""

    recordings: tuple[Recording, ...]
    rate_hz: float
    notes: tuple[str, ...]


def mended(raws: Sequence[RawRecording], options: ReadingOptions) -> Mended:
    """``ValueError`` if there is no rate, or nothing is left. Labels are those of the raw recordings."""
    paces = [_pace(raw, options) for raw in raws]
    rate_hz = options.rate_hz or plain_rate(float(np.median([pace.rate_hz for pace in paces])))
    cuts = [cut_of(raw.samples, raw.times, pace) for raw, pace in zip(raws, paces, strict=True)]
    found: list[Recording] = []
    for raw, pace, cut in zip(raws, paces, cuts, strict=True):
        found += _stretches(raw, pace, cut, rate_hz, options)
    if not found:
        raise ValueError(f"{raws[0].file}: no two samples in a row are left; see that not every row has an empty cell")
    notes = (*_told_rates(raws, paces, rate_hz, options), *_told_cuts(raws, cuts, rate_hz))
    return Mended(tuple(found), rate_hz, notes)


def _pace(raw: RawRecording, options: ReadingOptions) -> Pace:
    try:
        if raw.times is not None:
            return pace_of(raw.times, options.longest_gap)
        if rate_hz := raw.rate_hz or options.rate_hz:
            return Pace(plain_rate(rate_hz), 0.0, 0.0)
        raise ValueError("it states no sampling rate, and has no times; say it: rate_hz=50.0 for 50 Hz")
    except ValueError as error:
        raise ValueError(f"{raw.told}: {error}") from None


def _is_uneven(pace: Pace, rate_hz: float, options: ReadingOptions) -> bool:
    return _differs(pace, rate_hz) or pace.jitter > options.most_jitter


def _differs(pace: Pace, rate_hz: float) -> bool:
    return abs(pace.rate_hz / rate_hz - 1) > SAME


def _stretches(raw: RawRecording, pace: Pace, cut: Cut, rate_hz: float, options: ReadingOptions) -> Iterator[Recording]:
    labels = np.full(len(raw.samples), -1) if raw.labels is None else raw.labels
    for i, (begin, end) in enumerate(cut.stretches):
        times = np.arange(begin, end) / pace.rate_hz if raw.times is None else raw.times[begin:end]
        own = Samples(raw.samples[begin:end], labels[begin:end], times)
        if _is_uneven(pace, rate_hz, options):
            own = at_rate(own, pace.rate_hz, rate_hz if _differs(pace, rate_hz) else pace.rate_hz)
        whole = Recording(raw.name, own.values, own.labels, raw.subject, raw.part)
        is_part = len(cut.stretches) > 1
        yield replace(whole, name=f"{raw.name}#{i + 1}", source=raw.name) if is_part else whole


def _told_rates(
    raws: Sequence[RawRecording], paces: Sequence[Pace], rate_hz: float, options: ReadingOptions
) -> Iterator[str]:
    other = [i for i, pace in enumerate(paces) if _differs(pace, rate_hz)]
    if other:
        rates = sorted({float(f"{paces[i].rate_hz:.4g}") for i in other})
        span = f"{rates[0]:g} Hz" if len(rates) == 1 else f"{rates[0]:g} to {rates[-1]:g} Hz"
        yield (
            f"{len(other)} of {len(raws)} recordings, such as {raws[other[0]].told}, have {span}; "
            f"they are resampled to {rate_hz:g} Hz"
        )
    shaky = [i for i, pace in enumerate(paces) if pace.jitter > options.most_jitter]
    if shaky:
        worst = max(shaky, key=lambda i: paces[i].jitter)
        yield (
            f"{len(shaky)} of {len(raws)} recordings are sampled unevenly; in {raws[worst].told} steps vary by "
            f"{paces[worst].jitter:.0%} of an interval; their samples are put on an even grid"
        )


def _told_cuts(raws: Sequence[RawRecording], cuts: Sequence[Cut], rate_hz: float) -> Iterator[str]:
    torn = [i for i, cut in enumerate(cuts) if cut.missing]
    if not torn:
        return
    missing = sum(cuts[i].missing for i in torn)
    stretches = sum(len(cuts[i].stretches) for i in torn)
    dropped = sum(cuts[i].dropped for i in torn)
    worst = max(torn, key=lambda i: cuts[i].missing)
    yield (
        f"{len(torn)} of {len(raws)} recordings have gaps, most of them {raws[worst].told}: {missing} samples "
        f"({missing / rate_hz:.2f} s) are missing; they are cut into {stretches} stretches"
        + (f", and {dropped} single samples are left out" if dropped else "")
    )
