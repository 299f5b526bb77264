"""The names of features: which stream, which filters, which feature, how long a window.

``accx.sd@128`` is the standard deviation of the last 128 samples of channel accx; ``acc.norm.delta.mean@64`` the mean
of the differences of the magnitude of all axes of acc; ``accx.low:5000.percentile:90@128`` has parameters: cut-offs
are in mHz, this one is 5 Hz. ``accx~accy.correlation@128`` is of two streams; filters apply to both.
"""

from __future__ import annotations

from typing import NamedTuple

PAIR = "~"


class Step(NamedTuple):
    """A filter or a feature with its parameter, 0 if it has none."""

    name: str
    parameter: int

    @property
    def text(self) -> str:
        return f"{self.name}:{self.parameter}" if self.parameter else self.name


class Stream(NamedTuple):
    """What one sequence of samples is made of. ``source``: a channel, a group of axes, or two channels as ``x~y``."""

    source: str
    filters: tuple[Step, ...] = ()

    @property
    def name(self) -> str:
        return ".".join([self.source, *(step.text for step in self.filters)])

    @property
    def sides(self) -> tuple[Stream, ...]:
        """The two streams of a pair, or the stream itself."""
        return tuple(Stream(source, self.filters) for source in self.source.split(PAIR))


class Wanted(NamedTuple):
    """One feature of one window of a stream; ``window`` in samples."""

    stream: Stream
    feature: Step
    window: int

    @property
    def name(self) -> str:
        return f"{self.stream.name}.{self.feature.text}@{self.window}"


def parsed(name: str) -> Wanted:
    """The feature of a name; ``ValueError`` if it does not read as one."""
    left, at, window = name.rpartition("@")
    source, *steps = left.split(".")
    try:
        found = [_step(step) for step in steps]
        if not (at and source and found):
            raise ValueError
        return Wanted(Stream(source, tuple(found[:-1])), found[-1], int(window))
    except ValueError:
        raise ValueError(
            f"{name!r} names no feature; write CHANNEL.FEATURE@WINDOW or CHANNEL.FILTER.FEATURE@WINDOW, as in "
            "accx.sd@128 or accx.low:5000.mean@64"
        ) from None


def _step(text: str) -> Step:
    name, colon, parameter = text.partition(":")
    if not name or (colon and not parameter):
        raise ValueError
    return Step(name, int(parameter or 0))
