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
    from search.playback.played import LabelRule

FOLDER = "signals"
ONE_CLASS_TABLE, RECOMMENDED = "one_class.csv", "recommended"  # of a run on normal windows alone, and its manifest


def signal_file(path: Path) -> Path | None:
    """The file of the signal model of a run folder (its recommended one) or of a model file; None if it is of a
    table."""
    if path.is_file() and path.absolute().parent.name == FOLDER:
        return path
    if (path / ONE_CLASS_TABLE).is_file():
        from search.folder.records import RunFolder

        return path / str(RunFolder(path).read_manifest()[RECOMMENDED])
    found = member_of(path)
    if found is None or found[1].path is None:
        return None
    file = found[0] / FOLDER / found[1].path.name
    return file if file.is_file() else None


def signal_model_of(path: Path) -> tuple[Path, SignalModel | OneClassModel]:
    """The file and the model; ``ValueError`` if there is none."""
    from neuraltree.signals.one_class import is_one_class, load_one_class
    from neuraltree.signals.signal_model import load

    file = signal_file(path) or path
    if not file.is_file():
        raise ValueError(f"{path}: no model of recordings; name the run folder of neuraltree fit RECORDINGS --signal")
    return file, load_one_class(file) if is_one_class(file) else load(file)


def precision_of(file: Path) -> str:
    """The number format of the code of a model; float32 if nobody says."""
    run = run_of(file.absolute().parent.parent)
    found = member_of(run / "models" / file.name) if run else None
    return (chosen_code(*found)[0] if found else "") or "float32"


def built_of(file: Path) -> tuple[str, str, str]:
    """The device, style and compiler of the code of a model; "" for a device that nobody says."""
    from search.cli.chosen import hardware_of
    from search.config.settings import HardwareConfig

    run = run_of(file.absolute().parent.parent)
    found = member_of(run / "models" / file.name) if run else None
    hardware = (hardware_of(run) if run else None) or HardwareConfig()
    style = chosen_code(*found)[1] if found else ""
    return hardware.device, style or hardware.style, hardware.compiler


def reading_of(file: Path, model: SignalModel | OneClassModel) -> ReadingOptions:
    """How recordings are read for a model: as in its run, at the model's rate."""
    from search.config.config import load_config
    from search.config.settings import SignalConfig
    from search.folder.records import CONFIG
    from search.table.signals.chosen_recordings import reading_options

    config = file.absolute().parent.parent / CONFIG
    signal = load_config(config).signal if config.is_file() else SignalConfig()
    asked = (*model.front_end.channels, signal.target) if signal.target else model.front_end.channels
    names = signal.channel_names or tuple(dict.fromkeys(asked))
    return replace(reading_options(signal), rate_hz=model.front_end.rate_hz, channels=names)


def label_rule_of(file: Path, model: SignalModel | OneClassModel) -> LabelRule:
    """How the run labelled its decisions; by most samples of the shortest window if there is no run."""
    from search.config.config import load_config
    from search.folder.records import CONFIG, RunFolder
    from search.playback.played import LabelRule

    shortest = min(one.window for one in model.front_end.wanted)
    run = file.absolute().parent.parent
    if not (run / CONFIG).is_file():
        return LabelRule(shortest)
    signal, manifest = load_config(run / CONFIG).signal, RunFolder(run).read_manifest()
    return LabelRule(manifest.get("label_window", shortest), signal.label, signal.share)


def target_of(file: Path) -> tuple[str, int]:
    """The channel that the regressions of a run predict, and how many samples ahead; ``ValueError`` if there is no
    run."""
    from search.config.config import load_config
    from search.folder.records import CONFIG

    config = file.absolute().parent.parent / CONFIG
    if not config.is_file():
        raise ValueError(f"{file}: predicts a number, and {config} is not there, which says of which channel")
    signal = load_config(config).signal
    return signal.target, signal.horizon
