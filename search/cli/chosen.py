"""The model that a command is about: that of a file, or the one chosen from the front of a run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from search.cli.sizes import BUDGETS, amount_of

if TYPE_CHECKING:
    from search.config.config import Config
    from search.config.settings import DataConfig, HardwareConfig
    from search.front import Front, Member


RULE = "recommended"


def add_choice(made: argparse.ArgumentParser) -> None:
    """The options that choose a member of a front."""
    made.add_argument(
        "--rule",
        choices=(RULE, "lowest", "knee"),
        default=RULE,
        help="which model of the front: the recommended one, the one of the lowest error, or the knee",
    )
    for option, budget in BUDGETS.items():
        made.add_argument(f"--{option}", metavar=budget.example, help=f"of the model to take: {budget.help}")


def front_of(folder: Path) -> Front:
    """The front of a finished run; ``InputError`` if there is none."""
    from search.front import load_front

    return load_front(folder)


def chosen_member(front: Front, options: argparse.Namespace) -> Member:
    """The member that the options choose; ``ValueError`` if none keeps the budgets."""
    given = {name: text for name in BUDGETS if (text := getattr(options, name)) is not None}
    return front.select(options.rule, **{BUDGETS[name].column: amount_of(name, text) for name, text in given.items()})


def chosen_path(path: Path, options: argparse.Namespace) -> Path:
    """A model file as it is; for the folder of a run, the file of the member that the options choose."""
    if not path.is_dir():
        if options.rule != RULE or any(getattr(options, name) is not None for name in BUDGETS):
            raise ValueError(f"{path} is one model, and --rule and budgets choose from a front; name a run folder")
        return path
    found = chosen_member(front_of(path), options).path
    assert found is not None
    return found


def member_of(path: Path) -> tuple[Path, Member] | None:
    """The run and the member that a path stands for: a run folder, or a model file of its front; None for others."""
    run = path if path.is_dir() else path.absolute().parent.parent
    if not (run / "front.csv").is_file():
        return None
    front = front_of(run)
    if path.is_dir():
        return run, front.recommended()
    return next(((run, member) for member in front if member.path == run / "models" / path.name), None)


def run_of(path: Path) -> Path | None:
    """The run of a run folder, of its folder of models or of one of these; None for other paths."""
    folders = (path, path.absolute().parent, path.absolute().parent.parent)
    return next((each for each in folders if (each / "front.csv").is_file()), None)


def without_test_rows(run: Path) -> bool:
    """Whether the models of a run were trained on all rows of its table, as those cut with rows of another table."""
    from search.folder.records import RunFolder

    return RunFolder(run).read_manifest().get("test_rows") == 0


def hardware_of(run: Path) -> HardwareConfig | None:
    """What the config of a run says of the device; None for a folder without a config."""
    config = _config_of(run)
    return None if config is None else config.hardware


def exits_early(run: Path) -> bool:
    """Whether a run searched for code with an early exit."""
    config = _config_of(run)
    return config is not None and config.compress.early_exit


def _config_of(run: Path) -> Config | None:
    from search.config.config import load_config
    from search.folder.records import CONFIG

    return load_config(run / CONFIG) if (run / CONFIG).is_file() else None


def chosen_code(run: Path, member: Member) -> tuple[str, str]:
    """The number format and style of a member: what the search chose for it, or else what the config says; "" for a
    run without a device."""
    hardware = None if member.precision else hardware_of(run)
    if hardware is None:
        return member.precision, member.style
    return (hardware.first_format, hardware.style) if hardware.device else ("", "")


def inputs_of_run(run: Path) -> list[str]:
    """The texts of ``--input`` for which a run searched; none if all inputs are floats."""
    from neuraltree.compress.formats import input_texts, only_floats

    hardware = hardware_of(run)
    return [] if hardware is None or only_floats(hardware.input) else input_texts(hardware.input)


def formats_of_run(run: Path) -> tuple[str, ...]:
    """The number formats among which models of a run have their own."""
    hardware = hardware_of(run)
    return () if hardware is None else hardware.formats


def code_settings(run: Path, member: Member | None) -> dict[str, list[str]]:
    """The options of ``neuraltree hardware`` for which a run searched, each with its values.

    Number format and style are those of the ``member``, if the search chose them for each model.
    """
    hardware = hardware_of(run)
    if hardware is None or not hardware.device:
        return {}
    precision, style = chosen_code(run, member) if member else (hardware.first_format, hardware.style)
    return {
        "--device": [hardware.device],
        "--precision": [precision],
        "--style": [style],
        "--compiler": [hardware.compiler],
        "--input": inputs_of_run(run),
    }


def data_of(model: Path) -> DataConfig:
    """How the table of a run was read, for a model in its folder; else by the defaults."""
    from search.config.config import load_config
    from search.config.settings import DataConfig

    run = model.absolute().parent.parent
    if (run / "front.csv").is_file() and (run / "config.toml").is_file():
        return load_config(run / "config.toml").data
    return DataConfig(source=str(model))
