"""A run's settings: TOML read into frozen structs, every key checked, and written back as run."""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import tomli_w
from msgspec import Meta, Struct

from neuraltree import activations
from search import objectives
from search.errors import InputError
from search.operators import OPERATORS
from search.strict import check_known, convert_tables
from search.tables import is_path

Count = Annotated[int, Meta(ge=1)]
CountOrNone = Annotated[int, Meta(ge=0)]
# The upper bound refuses "inf", the lower one "nan".
Positive = Annotated[float, Meta(gt=0, lt=math.inf)]
NonNegative = Annotated[float, Meta(ge=0, lt=math.inf)]


class RunConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """``out``: the run folder, "" for ``results/<name of the config file>``; relative to the current directory."""

    seed: Annotated[int, Meta(ge=0, lt=2**32)] = 0
    out: str = ""


class DataConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """``source``: see ``search.sources``. ``target``: a column by name or by number from 0; "" is the last one."""

    source: str
    target: str | int = ""
    header: bool | Literal["auto"] = "auto"
    test_fraction: Annotated[float, Meta(gt=0, lt=0.9)] = 0.2
    drop: tuple[str, ...] = ()


class TaskConfig(Struct, frozen=True, forbid_unknown_fields=True):
    kind: Literal["auto", "regression", "classification"] = "auto"
    loss: Literal["auto", "squared", "cross_entropy"] = "auto"
    class_weight: Literal["none", "balanced"] = "none"


class SpaceConfig(Struct, frozen=True, forbid_unknown_fields=True):
    activations: tuple[str, ...] = ("sigmoid", "tanh", "gaussian", "relu")
    max_nodes: Annotated[int, Meta(ge=2)] = 60
    max_depth: Annotated[int, Meta(ge=1, le=30)] = 5
    max_arity: Annotated[int, Meta(ge=1, le=64)] = 5
    generator: Literal["ours", "reference"] = "ours"


class SearchConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """``folds``: of cross-validation; 1 is one hold-out of the training rows."""

    population: Annotated[int, Meta(ge=4)] = 100
    generations: CountOrNone = 30
    selection: Literal["hypervolume", "nsga2", "nsga3"] = "hypervolume"
    objectives: tuple[str, ...] = ("error", "weights")
    folds: Annotated[int, Meta(ge=1, le=20)] = 4
    inherit: bool = True
    retrain_survivors: bool = False


class TrainConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """``patience``: epochs without progress before a tree stops; 0 never stops early."""

    optimizer: Literal["adam", "adamw", "sgd", "momentum", "nesterov", "adagrad", "rmsprop"] = "adam"
    learning_rate: Positive = 0.01
    schedule: Literal["cosine", "constant", "linear"] = "cosine"
    epochs: CountOrNone = 20
    batch_size: Count = 64
    patience: CountOrNone = 0
    precision: Literal["float32", "float64"] = "float32"
    weight_decay: NonNegative = 0.0


class HardwareConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """``device``: the name of a device profile; "" is none."""

    device: str = ""
    precision: Literal["float32", "int8"] = "float32"
    style: Literal["straight", "table"] = "straight"


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """A whole run. ``reference`` and ``constraints`` are by objective, ``variation`` is by operator."""

    data: DataConfig
    run: RunConfig = RunConfig()
    task: TaskConfig = TaskConfig()
    space: SpaceConfig = SpaceConfig()
    search: SearchConfig = SearchConfig()
    reference: dict[str, Positive] = {}
    variation: dict[str, NonNegative] = {}
    train: TrainConfig = TrainConfig()
    hardware: HardwareConfig = HardwareConfig()
    constraints: dict[str, NonNegative] = {}


NEEDS_DEVICE = ("latency_s", "flash_bytes", "ram_bytes", "energy_j")


def load_config(path: Path, overrides: Sequence[str] = (), seed: int | None = None, out: str | None = None) -> Config:
    """The checked config of a TOML file; ``overrides`` are texts ``section.key=value`` as given to ``--set``.

    A relative ``data.source`` path counts from the config file, in an override from the current directory;
    it is made absolute here, so that the config as run works from any place.
    """
    raw = _read(path)
    _make_source_absolute(raw, path.parent)
    for text in overrides:
        _override(raw, text)
    _make_source_absolute(raw, Path())
    given = {"seed": seed, "out": out}
    for key, value in given.items():
        if value is not None:
            _put(raw, "run", key, value)
    source = f"{path} with --set {' '.join(overrides)}" if overrides else str(path)
    config = convert_tables(raw, Config, source)
    _check(config, source)
    if not config.run.out:
        run = msgspec.structs.replace(config.run, out=f"results/{path.stem}")
        config = msgspec.structs.replace(config, run=run)
    return config


def to_toml(config: Config) -> str:
    """The config with every key written out; ``load_config`` reads it back as an equal config."""
    return tomli_w.dumps(msgspec.to_builtins(config))


def config_hash(config: Config) -> str:
    """The SHA-256 of everything that shapes a run's results: all keys but ``run.out``."""
    run = msgspec.structs.replace(config.run, out="")
    text = msgspec.json.encode(msgspec.structs.replace(config, run=run), order="sorted")
    return hashlib.sha256(text).hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such config file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a config file: {one_line(error)}") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not TOML: {one_line(error)}") from None


def _override(raw: dict[str, Any], text: str) -> None:
    path, equals, value = text.partition("=")
    section, dot, key = path.strip().partition(".")
    if not (equals and dot and section and key) or "." in key:
        raise InputError(f"--set {text}: write section.key=value, as in --set train.epochs=30")
    _put(raw, section, key, _toml_value(value.strip(), text))


def _toml_value(value: str, text: str) -> Any:
    """``value`` as TOML; a bare word, which is not TOML, stands for itself."""
    try:
        parsed = tomllib.loads(f"value = {value}")
    except tomllib.TOMLDecodeError as error:
        if value[:1] in tuple("[{'\""):
            raise InputError(f"--set {text}: not a TOML value: {one_line(error)}") from None
        return value
    return parsed["value"] if len(parsed) == 1 else value


def _put(raw: dict[str, Any], section: str, key: str, value: Any) -> None:
    table = raw.setdefault(section, {})
    if isinstance(table, dict):
        table[key] = value


def _make_source_absolute(raw: dict[str, Any], folder: Path) -> None:
    data = raw.get("data")
    if isinstance(data, dict) and isinstance(data.get("source"), str) and is_path(data["source"]):
        data["source"] = str((folder / Path(data["source"]).expanduser()).resolve())


def _check(config: Config, source: str) -> None:
    """What one key says about another: names from other tables, repeats, keys that need each other."""
    names = (
        ("space.activations", config.space.activations, (*activations.NAMES, *activations.ALIASES)),
        ("search.objectives", config.search.objectives, objectives.NAMES),
        ("reference", config.reference, config.search.objectives),
        ("constraints", config.constraints, objectives.NAMES),
        ("variation", config.variation, tuple(OPERATORS)),
    )
    for path, given, allowed in names:
        for name in given:
            check_known(name, allowed, f'{source}: {path} has the unknown name "{name}"')
    codes = [activations.code_of(name) for name in config.space.activations]
    asked = (*config.search.objectives, *config.constraints)
    device = [name for name in asked if name in NEEDS_DEVICE]
    rules = (
        (not codes, "space.activations is empty; name at least one"),
        (len(set(codes)) < len(codes), f"space.activations names one twice: {', '.join(config.space.activations)}"),
        (not config.search.objectives, "search.objectives is empty; name at least one"),
        (
            len(set(config.search.objectives)) < len(config.search.objectives),
            f"search.objectives names one twice: {', '.join(config.search.objectives)}",
        ),
        (
            bool(config.variation) and not any(config.variation.values()),
            "variation: every operator has probability 0; give at least one more",
        ),
        (
            bool(device) and not config.hardware.device,
            f"{', '.join(device)} needs a device; set hardware.device to the name of a profile",
        ),
        (
            config.task.kind == "regression" and config.task.loss == "cross_entropy",
            'task.loss = "cross_entropy" is for classes; allowed with task.kind = "regression": "auto", "squared"',
        ),
        (
            config.task.kind == "regression" and config.task.class_weight == "balanced",
            'task.class_weight = "balanced" is for classes; allowed with task.kind = "regression": "none"',
        ),
    )
    for broken, text in rules:
        if broken:
            raise InputError(f"{source}: {text}")
