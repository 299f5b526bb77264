"""The config of a run: TOML read into the structs of ``settings``, every key checked, and written back as run."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import tomli_w

from neuraltree import activations
from neuraltree.compress.formats import AUTO
from neuraltree.storing import read
from neuraltree.tasks.task import check_loss
from search import objectives
from search.baselines import baseline_table, teacher_table
from search.config.durations import seconds_of
from search.config.series_rules import series_rules
from search.config.settings import Config, EnergyConfig, HardwareConfig, SignalConfig, is_path
from search.errors import InputError
from search.strict import check_known, convert_tables, one_line, shown
from search.variation.operators import OPERATORS

# tomllib also raises ValueError for numbers with too many digits and RecursionError for brackets nested too deep.
NOT_TOML = (ValueError, RecursionError)


# Keys that may hold a path.
PATHS: tuple[tuple[str, str, Callable[[str], bool]], ...] = (
    ("data", "source", is_path),
    ("hardware", "device", lambda name: name.endswith(".toml")),
)


def load_config(path: Path, overrides: Sequence[str] = (), seed: int | None = None, out: str | None = None) -> Config:
    """The checked config of a TOML file; ``overrides`` are texts ``section.key=value`` as given to ``--set``.

    A relative path is relative to the config file, or in an override to the current folder. It is made absolute here,
    so that the config as run works from any folder.
    """
    raw = _read(path)
    _make_paths_absolute(raw, path.parent)
    given = {key: value for key, value in {"seed": seed, "out": out}.items() if value is not None}
    config = config_from(raw, overrides, str(path), run=given)
    run = msgspec.structs.replace(config.run, out=config.run.out or f"results/{path.stem}")
    return msgspec.structs.replace(config, run=run)


def config_from(
    raw: dict[str, Any], overrides: Sequence[str], source: str, *, run: Mapping[str, Any] = MappingProxyType({})
) -> Config:
    """The checked config of tables, in which ``overrides`` as in ``load_config`` and then keys of ``run`` are set."""
    for text in overrides:
        _override(raw, text)
    _make_paths_absolute(raw, Path())
    for key, value in run.items():
        _put(raw, "run", key, value)
    source += f" with --set {' '.join(overrides)}" if overrides else ""
    return _checked_text(config_of(raw, source), source)


def config_of(raw: dict[str, Any], source: str) -> Config:
    """The checked config of plain tables, with every operator written out; messages begin with ``source``."""
    config = convert_tables(raw, Config, source)
    _check(config, source)
    if config.signal.is_used:  # features of windows are integers of 16 bits
        config = msgspec.structs.replace(config, hardware=msgspec.structs.replace(config.hardware, input="int16"))
    return msgspec.structs.replace(config, variation=_all_operators(config))


def _rules_of_formats(hardware: HardwareConfig) -> tuple[tuple[bool, str], ...]:
    """What a list of number formats must be."""
    listed, names = isinstance(hardware.precision, tuple), hardware.formats
    return (
        (listed and not names, "hardware.precision is an empty list; name at least one number format"),
        (len(set(names)) < len(names), f"hardware.precision names one twice: {', '.join(names)}"),
        (
            len(names) > 1 and not hardware.device,
            f"hardware.precision names {len(names)} number formats, which differ in their costs on a device; add "
            "hardware.device, or name one format",
        ),
    )


# Keys that runs of earlier versions do not have.
ADDED = (
    *(("search", "pruned_share"), ("search", "time"), ("search", "threshold"), ("search", "rows")),
    *(("data", "group"), ("data", "time"), ("data", "split")),
    *(("task", "positive"), ("data", "fairness_group"), ("hardware", "max_score_loss")),
    *(("hardware", "input"), ("compress", "prune"), ("compress", "early_exit"), ("train", "l1")),
    *(("train", key) for key in ("group_l1", "teachers", "teacher_share", "teacher_temperature")),
    *(("energy", key) for key in ("watts_per_core", "watts_source", "grams_co2_per_kwh", "co2_source")),
    *(("data", key) for key in ("missing", "missing_indicator", "columns", "thousands", "decimal", "percent")),
    *(("data", "sample_rows"), ("search", "robust_radius")),
    *(("signal", field.name) for field in msgspec.structs.fields(SignalConfig)),
)

ADDED_OPERATORS = ("swap_input", "merge_inputs")  # likewise, if their probability is 0

# What the absence of a key in the config of an earlier run meant, if that is not the default.
ABSENT = {("search", "rows"): "all", ("data", "sample_rows"): "0"}


def as_begun(path: Path) -> list[str]:
    """The overrides with which the config of a run's folder means what it meant when the run began."""
    raw = _read(path)
    return [f"{section}.{key}={value}" for (section, key), value in ABSENT.items() if key not in raw.get(section, {})]


def to_toml(config: Config) -> str:
    """The config with every key written out; ``load_config`` reads it back as an equal config."""
    return tomli_w.dumps(msgspec.to_builtins(config))


def config_hash(config: Config) -> str:
    """The SHA-256 of everything that determines a run's results: all keys but ``run.out`` and those of ``tracking``.

    A key that was added later counts only if it differs from its default, so that older runs keep their hashes.
    """
    known = msgspec.to_builtins(config)
    known["run"]["out"] = ""
    del known["tracking"]
    for name in ADDED_OPERATORS:
        if not known["variation"].get(name):
            known["variation"].pop(name, None)
    for section, key in ADDED:
        fields = msgspec.structs.fields(getattr(config, section))
        if known[section][key] == next(default_of(field) for field in fields if field.name == key):
            del known[section][key]
            if not known[section]:  # a section that was added later
                del known[section]
    return hashlib.sha256(msgspec.json.encode(known, order="sorted")).hexdigest()


def default_of(field: msgspec.structs.FieldInfo) -> Any:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def _checked_text(config: Config, source: str) -> Config:
    """The config; ``InputError`` if it holds bytes, from the command line or a file name, that are not UTF-8 text."""
    try:
        to_toml(config).encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{source}: cannot be written as UTF-8: {one_line(error)}") from None
    return config


def _read(path: Path) -> dict[str, Any]:
    try:
        text = read(path).decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: no such config file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a config file: {one_line(error)}") from None
    try:
        return tomllib.loads(text)
    except NOT_TOML as error:
        raise InputError(f"{path}: not TOML: {one_line(error)}") from None


def _override(raw: dict[str, Any], text: str) -> None:
    path, equals, value = text.partition("=")
    section, dot, key = path.strip().partition(".")
    if not (equals and dot and section and key) or ("." in key and not objectives.find(key)):
        raise InputError(f"--set {text}: write section.key=value, as in --set train.epochs=30")
    _put(raw, section, key, _toml_value(value.strip(), text))


def _toml_value(value: str, text: str) -> Any:
    """``value`` parsed as TOML; a bare word, which is not TOML, is taken as a text."""
    try:
        parsed = tomllib.loads(f"value = {value}")
    except NOT_TOML as error:
        if value[:1] in tuple("[{'\""):
            raise InputError(f"--set {text}: not a TOML value: {one_line(error)}") from None
        return value
    return parsed["value"] if len(parsed) == 1 else value


def _put(raw: dict[str, Any], section: str, key: str, value: Any) -> None:
    table = raw.setdefault(section, {})
    if isinstance(table, dict):
        table[key] = value


def _make_paths_absolute(raw: dict[str, Any], folder: Path) -> None:
    signal = raw.get("signal")
    of_signals = isinstance(signal, dict) and bool(signal.get("windows") or signal.get("lags"))
    for section, key, is_one in PATHS:
        table = raw.get(section)
        # Recordings lie in a folder or file of any name; a table can have a name that is no path.
        is_one = (lambda text: True) if section == "data" and of_signals else is_one
        if isinstance(table, dict) and isinstance(table.get(key), str) and is_one(table[key]):
            try:
                table[key] = str((folder / Path(table[key]).expanduser()).resolve())
            except (OSError, RuntimeError, ValueError) as error:
                raise InputError(f"{section}.{key} = {shown(table[key])} is not a path: {one_line(error)}") from None


def _all_operators(config: Config) -> dict[str, float]:
    signals = bool(config.signal.windows)
    return {row.name: config.variation.get(row.name, row.usual(signals)) for row in OPERATORS}


def _energy_rules(energy: EnergyConfig) -> tuple[tuple[bool, str], ...]:
    """Whether each rule is broken, and what to say then: a number can be left out, but not one that another needs."""
    watts, grams = energy.watts_per_core, energy.grams_co2_per_kwh
    return (
        (bool(grams and not watts), "energy.grams_co2_per_kwh needs the power; state it as energy.watts_per_core"),
        (bool(energy.watts_source and not watts), "energy.watts_source needs energy.watts_per_core, which it is about"),
        (bool(energy.co2_source and not grams), "energy.co2_source needs energy.grams_co2_per_kwh, which it is about"),
    )


def _exit_rules(config: Config) -> tuple[tuple[bool, str], ...]:
    """As ``_energy_rules``: which code can exit early, and what only such code costs."""
    asked, style, exits = config.hardware.precision, config.hardware.style, config.compress.early_exit
    return (
        (
            exits and (asked, style) != ("int8", "straight"),
            'compress.early_exit is an option of int8 code in straight style; set hardware.precision to "int8" and '
            f'hardware.style to "straight", not {shown([*asked] if config.hardware.formats[1:] else asked)} and '
            f"{shown(style)}",
        ),
        (
            objectives.MEAN in (*config.search.objectives, *config.constraints) and not exits,
            f"{objectives.MEAN} is the cost of code with an early exit; set compress.early_exit to true, or name "
            "latency_s instead",
        ),
    )


def _check(config: Config, source: str) -> None:
    """Rules beyond single keys: names from other tables, repeated names, keys that need each other."""
    kinds, wanted, compared = config.space.activations, config.search.objectives, config.baselines.models
    teachers = config.train.teachers
    levelled = filter(objectives.find, (*wanted, *config.constraints))
    known = tuple(dict.fromkeys((*objectives.NAMES, *levelled)))
    names = (
        ("space.activations", kinds, (*activations.NAMES, *activations.ALIASES)),
        ("search.objectives", wanted, known),
        ("reference", config.reference, wanted),
        ("variation", config.variation, tuple(row.name for row in OPERATORS)),
        ("constraints", config.constraints, known),
        ("baselines.models", compared, baseline_table.NAMES),
        ("train.teachers", teachers, teacher_table.NAMES),
    )
    for path, given, allowed in names:
        for name in given:
            if allowed is known and (fault := objectives.level_fault(name)):
                raise InputError(f"{source}: {path}: {fault}")
            check_known(name, allowed, f"{source}: {path} has the unknown name {shown(name)}")
    codes = [activations.code_of(name) for name in kinds]
    on_device = [name for name in (*wanted, *config.constraints) if name in objectives.COST_NAMES]
    chosen = [f"hardware.{key}" for key in ("precision", "style") if getattr(config.hardware, key) == AUTO]
    rules = (
        (not codes, "space.activations is empty; name at least one"),
        (len(set(codes)) < len(codes), f"space.activations names one twice: {', '.join(kinds)}"),
        (not wanted, "search.objectives is empty; name at least one"),
        (len(set(wanted)) < len(wanted), f"search.objectives names one twice: {', '.join(wanted)}"),
        (len(set(compared)) < len(compared), f"baselines.models names one twice: {', '.join(compared)}"),
        (len(set(teachers)) < len(teachers), f"train.teachers names one twice: {', '.join(teachers)}"),
        *_rules_of_formats(config.hardware),
        (
            bool(teachers) and (config.data.weight != "" or config.task.class_weight != "none"),
            "train.teachers: teachers do not use row weights; leave out train.teachers, or data.weight and "
            "task.class_weight",
        ),
        (
            bool(teachers) and config.task.loss not in ("auto", "squared", "cross_entropy"),
            f"train.teachers: teachers predict means, and task.loss = {shown(config.task.loss)} is for other values; "
            "leave one of them out",
        ),
        (
            not teachers and config.train.teacher_temperature != 1,
            f"train.teacher_temperature = {shown(config.train.teacher_temperature)} is for trees that learn from "
            "teachers, and there are none; name some in train.teachers, or leave it out",
        ),
        (
            bool(teachers) and config.train.teacher_temperature != 1 and config.task.loss == "squared",
            "train.teacher_temperature: probabilities are made softer for the loss cross_entropy, and task.loss is "
            '"squared"; leave out one of them',
        ),
        (
            bool(teachers) and config.train.teacher_temperature != 1 and config.compress.prune != "none",
            "train.teacher_temperature: pruned models are trained at 1; leave it out, or compress.prune",
        ),
        (
            not any(_all_operators(config).values()),
            "variation gives every operator the probability 0; raise at least one of them",
        ),
        (
            bool(config.data.time and (config.data.group or config.data.split)),
            "data.time cannot be combined with data.group or data.split; leave out one of them",
        ),
        (
            config.signal.is_used and config.hardware.input not in ("float32", "int16"),
            f"hardware.input = {shown(config.hardware.input)}: features of windows are int16; leave it out",
        ),
        (
            config.signal.is_used and (config.data.target != "" or bool(config.data.group or config.data.time)),
            "data.target, data.group and data.time are columns of a table, and signal.windows makes one of recordings; "
            "leave them out",
        ),
        (
            config.signal.one_class and not config.signal.windows,
            'signal.one_class is about recordings; set signal.windows, as in "auto"',
        ),
        (
            config.signal.one_class and config.signal.rejection != "none",
            "signal.one_class and signal.rejection exclude each other: a model of one class is a rejection itself",
        ),
        (
            config.data.thousands != "" and config.data.thousands in (config.data.decimal, *"0123456789+-eE%"),
            f"data.thousands = {shown(config.data.thousands)} is the decimal mark, or part of every number",
        ),
        (
            on_device and not config.hardware.device,
            f"{', '.join(on_device)} needs a device; name one as hardware.device",
        ),
        (
            objectives.LOAD in (*wanted, *config.constraints) and not config.signal.is_used,
            f"{objectives.LOAD} is the cost of code that is fed samples; set signal.windows, or name latency_s instead",
        ),
        (
            chosen and not config.hardware.device,
            f'{" and ".join(chosen)} = "auto" chooses by the costs on a device; name one as hardware.device',
        ),
    )
    for broken, text in (*rules, *_exit_rules(config), *_energy_rules(config.energy), *series_rules(config)):
        if broken:
            raise InputError(f"{source}: {text}")
    checks: tuple[tuple[str, Callable[[str], object], str], ...] = (
        ("task.loss", check_loss, config.task.loss),
        ("search.time", seconds_of, config.search.time or "1s"),
    )
    for key, check, text in checks:
        try:
            check(text)
        except ValueError as error:
            raise InputError(f"{source}: {key}: {error}") from None
