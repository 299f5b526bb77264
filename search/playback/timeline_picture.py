"""The timeline of one recording as a picture: labels, decisions and events above the channels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuraltree.plot import style
from neuraltree.signals.event_rule import UNKNOWN
from neuraltree.signals.signal_model import SignalModel
from search.playback.play_page import MOST_CHANNELS
from search.playback.played import Played
from search.playback.timeline import MOST_POINTS, Timeline, timeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BANDS = ("label", "window", "reported", "wrong", "events")  # from above
COLOURS = (style.BLUE, style.ORANGE, style.GREEN, style.PURPLE, style.SKY, style.YELLOW)
HATCHES = ("", "//", "..", "xx")  # of the first six classes, of the next six, and so on
LONGEST_TITLE = 90


def draw_timeline(path: Path, one: Played, model: SignalModel) -> None:
    """Write the PNG of a recording; of many channels, it has the first ``MOST_CHANNELS``."""
    from matplotlib.figure import Figure

    from search.pictures.run_pictures import legend_below, save

    front = model.front_end
    made = timeline(one, front.rate_hz, front.hop, MOST_POINTS)
    names = front.channels[:MOST_CHANNELS]
    figure = Figure(figsize=(10, 2.6 + 0.85 * len(names)), layout="constrained")
    above, *lanes = figure.subplots(len(names) + 1, sharex=True, height_ratios=[2.2, *[1.0] * len(names)])
    _bands(above, made, [str(label) for label in model.tree.classes or ()])
    for ax, name, values in zip(lanes, names, made.signal.T, strict=False):
        ax.plot(made.times_s, values, color=style.GREY, lw=0.7)
        ax.set_ylabel(style.short(name, 14), parse_math=False, fontsize=8)
        ax.tick_params(labelsize=8)
        ax.grid(alpha=0.25)
    lanes[-1].set_xlabel("time (s)")
    lanes[-1].set_xlim(0, max(len(one.counts) / front.rate_hz, 1 / front.rate_hz))
    subject = f", {one.recording.subject}" if one.recording.subject else ""
    figure.suptitle(style.short(one.recording.name + subject, LONGEST_TITLE), parse_math=False, fontsize=11)
    legend_below(figure, 8)
    save(figure, path)


def _bands(ax: Axes, made: Timeline, classes: list[str]) -> None:
    for row, band in enumerate(BANDS[:3]):
        for code in sorted({code for *_, code in getattr(made, band)}):
            spans = [(first, last - first) for first, last, other in getattr(made, band) if other == code]
            look, label = _look(code, classes)
            ax.broken_barh(spans, (row - 0.4, 0.8), label=label, edgecolor="white", lw=0, **look)
    wrong = [(first, last - first) for first, last, _ in made.wrong]
    ax.broken_barh(wrong, (2.6, 0.8), color=style.VERMILION, lw=0)
    for code in sorted({code for _, code in made.events}):
        times = [at for at, other in made.events if other == code]
        look, label = _look(code, classes)
        colour = look["facecolor"]
        ax.plot(times, [4] * len(times), "v", ms=7, mfc=colour, mec=style.BLACK, mew=0.5, ls="none")
    ax.set(yticks=range(len(BANDS)), yticklabels=BANDS, ylim=(len(BANDS) - 0.5, -0.5))
    ax.tick_params(axis="y", length=0, labelsize=8)


def _look(code: int, classes: list[str]) -> tuple[dict[str, Any], str]:
    if code == UNKNOWN:
        return {"facecolor": style.PALE, "hatch": "\\\\"}, "unknown"
    turn, place = divmod(code, len(COLOURS))
    return {"facecolor": COLOURS[place], "hatch": HATCHES[turn % len(HATCHES)]}, style.short(classes[code])
