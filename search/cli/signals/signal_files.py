"""The models of signals in a run folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from search.cli.chosen import chosen_code, member_of, run_of

if TYPE_CHECKING:
    from neuraltree.signals.one_class import OneClassModel
    from neuraltree.signals.recordings.reading_options import ReadingOptions
    from neuraltree.signals.signal_model import SignalModel
    from search.config.settings import SignalConfig
    from search.front import Member
    from search.playback.played import LabelRule


def signal_file(path: Path) -> Path | None:
    """The file of the signal model of a run folder (its recommended one) or of a model file; None if it is of a
    table."""
    from search.folder.records import ONE_CLASS_TABLE, RECOMMENDED, SIGNALS, RunFolder

    if path.is_file() and path.absolute().parent.name == SIGNALS:
        return path
    if (path / ONE_CLASS_TABLE).is_file():
        return path / str(RunFolder(path).read_manifest()[RECOMMENDED])
    found = member_of(path)
    if found is None or found[1].path is None:
        return None
    file = found[0] / SIGNALS / found[1].path.name
    return file if file.is_file() else None


def signal_model_of(path: Path) -> tuple[Path, SignalModel | OneClassModel]:
    """The file and the model; ``ValueError`` if there is none."""
    from neuraltree.signals.one_class import is_one_class, load_one_class
    from neuraltree.signals.signal_model import load

    file = signal_file(path) or path
    if not file.is_file():
        raise ValueError(f"{path}: no model of recordings; name the run folder of neuraltree fit RECORDINGS --signal")
    return file, load_one_class(file) if is_one_class(file) else load(file)


def _member_of(file: Path) -> tuple[Path, Member] | None:
    """The run of a file of a signal model, and the member of its front."""
    run = run_of(file.absolute().parent.parent)
    return member_of(run / "models" / file.name) if run else None


def _said_of_signals(file: Path) -> SignalConfig | None:
    """What the config of the run of a file says of recordings; None if there is no run."""
    from search.config.config import load_config
    from search.folder.records import CONFIG

    config = file.absolute().parent.parent / CONFIG
    return load_config(config).signal if config.is_file() else None


def precision_of(file: Path) -> str:
    """The number format of the code of a model; float32 if nobody says."""
    found = _member_of(file)
    return (chosen_code(*found)[0] if found else "") or "float32"


def built_of(file: Path) -> tuple[str, str, str]:
    """The device, style and compiler of the code of a model; "" for a device that nobody says."""
    from search.cli.chosen import hardware_of
    from search.config.settings import HardwareConfig

    found = _member_of(file)
    hardware = (hardware_of(found[0]) if found else None) or HardwareConfig()
    style = chosen_code(*found)[1] if found else ""
    return hardware.device, style or hardware.style, hardware.compiler


def reading_of(file: Path, model: SignalModel | OneClassModel) -> ReadingOptions:
    """How recordings are read for a model: as in its run, at the model's rate."""
    from search.config.settings import SignalConfig
    from search.table.signals.chosen_recordings import reading_options

    signal = _said_of_signals(file) or SignalConfig()
    asked = (*model.front_end.channels, signal.target) if signal.target else model.front_end.channels
    names = signal.channel_names or tuple(dict.fromkeys(asked))
    return replace(reading_options(signal), rate_hz=model.front_end.rate_hz, channels=names)


def label_rule_of(file: Path, model: SignalModel | OneClassModel) -> LabelRule:
    """How the run labelled its decisions; by most samples of the shortest window if there is no run."""
    from search.folder.records import RunFolder
    from search.playback.played import LabelRule

    shortest = min(one.window for one in model.front_end.wanted)
    signal = _said_of_signals(file)
    if signal is None:
        return LabelRule(shortest)
    manifest = RunFolder(file.absolute().parent.parent).read_manifest()
    return LabelRule(manifest.get("label_window", shortest), signal.label, signal.share)


def target_of(file: Path) -> tuple[str, int]:
    """The channel that the regressions of a run predict, and how many samples ahead; ``ValueError`` if there is no
    run."""
    from search.folder.records import CONFIG

    signal = _said_of_signals(file)
    if signal is None:
        config = file.absolute().parent.parent / CONFIG
        raise ValueError(f"{file}: predicts a number, and {config} is not there, which says of which channel")
    return signal.target, signal.horizon
