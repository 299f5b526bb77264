"""``neuraltree play``: recordings played through a model that is fed samples, and how good its decisions are."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from neuraltree.cli.command import BAD_INPUT, DONE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuraltree.signals.one_class import OneClassModel
    from neuraltree.signals.signal_model import SignalModel
    from search.playback.play_scores import Scores
    from search.playback.played import Played

EPILOG = """examples:
  neuraltree play gestures recordings/testing
  neuraltree play gestures recordings --part testing --c
  neuraltree play gestures recordings --html playback.html --png worst.png
  neuraltree play gestures recordings --emulate --recording wave.p3
  neuraltree play gestures/signals/003.json recordings --out decisions.csv

Each recording is played from a reset on. --c compiles the exported C on this machine, plays the same samples through
it, and compares every feature, score, class and event with those of Python. A model that predicts a number is compared
with what came and with the last value; the values of its float code may differ from Python's by rounding. --emulate
plays one recording on the processor core of the run's device, too, and counts the cycles of every push.

exit codes: 0 done, 2 bad input, or the C decides otherwise"""


def add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("model", metavar="MODEL", type=Path, help="the run folder of recordings, or a model of it")
    made.add_argument("recordings", metavar="RECORDINGS", type=Path, help="a folder, .zip or file of recordings")
    made.add_argument("--part", choices=("training", "testing"), help="only the recordings of this part")
    made.add_argument("--c", action="store_true", help="play them through the exported C, too, and compare")
    made.add_argument("--precision", help="the number format of the code; by default that of the run")
    made.add_argument("--out", metavar="FILE.csv", type=Path, help="a file for all decisions, a line each")
    made.add_argument("--html", metavar="FILE.html", type=Path, help="a page: timelines, confusion, subjects, events")
    made.add_argument("--png", metavar="FILE.png", type=Path, help="a picture of the timeline of one recording")
    made.add_argument(
        "--recording",
        metavar="NAME",
        help="the recording of --png and --emulate (default: the one with the most wrong windows)",
    )
    made.add_argument("--emulate", action="store_true", help="play it on the emulated core of the run's device, too")
    made.add_argument("--device", help="emulate the core of this device, whatever the run's is")
    made.add_argument(
        "--samples", type=int, default=2000, help="samples to emulate, from the start of the recording (default: 2000)"
    )


def play(options: argparse.Namespace) -> int:
    """Returns the exit code."""
    from neuraltree.cli.command import say
    from neuraltree.cli.patience import patience
    from neuraltree.signals.recordings.reading_recordings import read_recordings
    from neuraltree.signals.recordings.subsets import of_part
    from neuraltree.signals.signal_model import SignalModel
    from search.cli.signals.play_values import play_values
    from search.cli.signals.signal_files import label_rule_of, precision_of, reading_of, signal_model_of
    from search.playback.play_text import print_unknown, write_decisions
    from search.playback.played import check_recordings, of_channels, played

    path, model = signal_model_of(options.model)
    precision = options.precision or precision_of(path)
    with patience(say, "reading recordings"):
        found = read_recordings(options.recordings, reading_of(path, model))
    found = of_part(found, options.part) if options.part else found
    of_classes = isinstance(model, SignalModel) and model.classes is not None
    if not of_classes:
        _check_options(options)
    if isinstance(model, SignalModel) and model.classes is None:
        return play_values(options, path, model, found, precision)
    found = check_recordings(model, found) if isinstance(model, SignalModel) else of_channels(model.front_end, found)
    with patience(say, "playing recordings"):
        plays = played(model, found, precision, label_rule_of(path, model))
    for note in found.notes:
        say(f"note: {note}")
    if options.out:
        write_decisions(options.out, model, plays, found.classes)
    if isinstance(model, SignalModel):
        return _scored(options, path, model, precision, plays, found.notes)
    print_unknown(model, plays, found.classes)
    return _through_c(model, precision, plays) if options.c else DONE


def _check_options(options: argparse.Namespace) -> None:
    """``InputError`` for what is there for models of classes alone."""
    from search.errors import InputError

    for name in ("html", "png", "emulate"):
        if getattr(options, name):
            raise InputError(f"--{name} shows the decisions of a model of classes, and this one has none; leave it out")


def _scored(
    options: argparse.Namespace,
    path: Path,
    model: SignalModel,
    precision: str,
    plays: Sequence[Played],
    notes: Sequence[str],
) -> int:
    from search.playback.chosen_play import chosen_play
    from search.playback.play_scores import scores_of
    from search.playback.play_text import print_scores

    chosen, why = chosen_play(plays, options.recording)
    scores = scores_of(model, plays)
    print_scores(model, plays, scores)
    if options.html:
        _page(options, model, plays, scores, notes)
    if options.png:
        from search.playback.timeline_picture import draw_timeline

        draw_timeline(options.png, chosen, model)
        print(f"{options.png}  {why}")
    codes = [_through_c(model, precision, plays)] if options.c else []
    if options.emulate or options.device:
        codes.append(_emulated(options, path, model, precision, chosen, why))
    return max(codes, default=DONE)


def _page(
    options: argparse.Namespace, model: SignalModel, plays: Sequence[Played], scores: Scores, notes: Sequence[str]
) -> None:
    from search.playback.play_page import PlayWords, play_page
    from search.report.pages.write import write_playback

    words = PlayWords(options.model.absolute().name, options.recordings.absolute().name, notes)
    path = write_playback(play_page(model, plays, scores, words), options.html)
    print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")


def _through_c(model: SignalModel | OneClassModel, precision: str, plays: Sequence[Played]) -> int:
    from neuraltree.cli.command import say
    from neuraltree.cli.patience import patience
    from neuraltree.export.signals.packages.signal_targets import SIGNAL_TARGETS
    from search.playback.played import differences

    with patience(say, "playing recordings through C"):
        wrong = differences(SIGNAL_TARGETS["c"].make(model, "played", precision=precision), plays, precision)
    count = sum(len(one.decisions.ends) for one in plays)
    print("\n".join(wrong) or f"the exported C decides the same in all {count} windows")
    return BAD_INPUT if wrong else DONE


def _emulated(
    options: argparse.Namespace, path: Path, model: SignalModel, precision: str, chosen: Played, why: str
) -> int:
    from neuraltree.cli.command import say
    from neuraltree.cli.patience import patience
    from neuraltree.hardware.profile.devices import Code
    from search.cli.signals.signal_files import built_of
    from search.errors import InputError
    from search.playback.emulated import emulated

    device, style, compiler = built_of(path)
    if not (name := options.device or device):
        raise InputError("the run has no device; name one with --device, as nrf52840")
    if options.samples < 1:
        raise InputError(f"--samples is {options.samples}; emulate at least one")
    with patience(say, "emulating pushes"):
        found = emulated(model, name, Code(precision, style, compiler), chosen.counts[: options.samples])
    print(f"{why}\n{found.lines()}")
    return BAD_INPUT if found.wrong else DONE
