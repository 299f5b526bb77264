"""The card of a model as plain data: what the run folder says about it, in sections."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from neuraltree.activations import NAMES
from neuraltree.inputs.encoders import Column
from neuraltree.tree.tree import Tree
from search.card.card_figures import baselines_of, costs_of, errors_of
from search.card.card_limits import limits_of
from search.config.config import Config, as_begun, load_config
from search.config.settings import is_path
from search.errors import InputError
from search.folder.baselines_csv import load_baselines
from search.folder.records import CONFIG, RunFolder
from search.front import Front, Member, load_front

FROM_MANIFEST = ("train_rows", "test_rows", "split", "notes")
REPRODUCED = ("seed", "config_hash", "generations", "evaluations", "engine", "versions", "git_commit", "machine")


def card_of(folder: str | Path, member: Member | None = None) -> dict[str, Any]:
    """The card of a member of a finished run, by default the recommended one: plain data that JSON can hold.

    What the run folder does not say, as that of an older run, is left out. No path of a machine is in it. Raises
    ``InputError`` if the folder is not that of a finished run, its front is empty, or it has no such member, and
    ``ValueError`` if the model's file is damaged.
    """
    folder = Path(folder)
    front = replace(load_front(folder), baselines=())
    config, manifest = load_config(folder / CONFIG), RunFolder(folder).read_manifest()
    chosen = _chosen(folder, front, member)
    tree, recommended = chosen.tree(), front.recommended()
    data = _data(config, manifest)
    return {
        "model": {
            "file": _file(folder, chosen),
            "is_recommended": chosen is recommended,
            "recommended_file": _file(folder, recommended),
            **_model(tree),
        },
        "data": data,
        "errors": errors_of(chosen, config.search.objectives, tree),
        "verdict": replace(front, max_nodes=config.space.max_nodes).summary().splitlines(),
        "baselines": baselines_of(load_baselines(folder)),
        "costs": costs_of(chosen, config, _name_of(config.hardware.device, path=_is_profile(config))),
        "limits": limits_of(tree, config, data, chosen.values),
        "reproduce": _reproduce(folder, config, manifest),
    }


def _chosen(folder: Path, front: Front, member: Member | None) -> Member:
    """The member as the front of the folder has it."""
    if not len(front):
        raise InputError(f"the front in {folder} is empty, so there is no model to describe")
    if member is None:
        return front.recommended()
    for known in front:
        if known.name == member.name and known.values == member.values:
            return known
    raise InputError(f"{folder} has no model {member.name} of these values; choose one of load_front({str(folder)!r})")


def _file(folder: Path, member: Member) -> str:
    assert member.path is not None
    return member.path.relative_to(folder).as_posix()


def _model(tree: Tree) -> dict[str, Any]:
    op = tree.nodes["op"]
    read = np.unique(op[op >= 0]).tolist()
    kinds = {name: int(np.count_nonzero(op == ~code)) for code, name in enumerate(NAMES)}
    found: dict[str, Any] = {
        "kind": tree.kind,
        "weights": tree.num_weights,
        "nodes": tree.num_nodes,
        "depth": tree.depth,
        "activations": {name: count for name, count in kinds.items() if count},
        "features": len(tree.features),
        "inputs": [tree.features[i] for i in read],
    }
    if tree.columns is not None:
        found["columns"] = [msgspec.to_builtins(column) for column in _columns_read(tree.columns, set(read))]
    if tree.classes is not None:
        found["classes"] = list(tree.classes)
    if tree.band is not None:
        found["band"] = tree.band
    return found | ({"threshold": tree.threshold} if tree.kind == "binary" else {})


def _columns_read(columns: tuple[Column, ...], read: set[int]) -> list[Column]:
    """The columns that have one of the features ``read``."""
    ends = np.cumsum([len(column.features) for column in columns]).tolist()
    return [
        column
        for column, start, end in zip(columns, [0, *ends], ends, strict=False)
        if not read.isdisjoint(range(start, end))
    ]


def _data(config: Config, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """``class_rows``: the training and the test rows of each class, in the order of the classes."""
    found: dict[str, Any] = {"source": _name_of(config.data.source, path=is_path(config.data.source))}
    if (target := manifest.get("target", config.data.target)) != "":
        found["target"] = target
    if "data_hash" in manifest:
        found["digest"] = manifest["data_hash"]
    if manifest.get("class_rows"):
        found["class_rows"] = manifest["class_rows"]
    return found | {name: manifest[name] for name in FROM_MANIFEST if manifest.get(name)}


def _name_of(text: str, *, path: bool) -> str:
    """A name as it is, and the last part of a path."""
    return Path(text).name if path else text


def _is_profile(config: Config) -> bool:
    return config.hardware.device.endswith(".toml")


def _reproduce(folder: Path, config: Config, manifest: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: manifest[name] for name in REPRODUCED if manifest.get(name) is not None}
    return {"command": _command(folder, config, manifest), **found}


def _command(folder: Path, config: Config, manifest: Mapping[str, Any]) -> str:
    """The command that makes the run again, in a folder that holds its config and the files that the config names.

    No generation depends on when a search ends, so one that its time ended is made again by its generations.
    """
    overrides = as_begun(folder / CONFIG)
    if is_path(config.data.source):
        overrides.append(f"data.source=./{Path(config.data.source).name}")
    if _is_profile(config):
        overrides.append(f"hardware.device=./{Path(config.hardware.device).name}")
    words = ["python", "-m", "search.run", CONFIG, "--seed", str(config.run.seed)]
    if config.search.time and "generations" in manifest:
        words += ["--generations", str(manifest["generations"])]
    words += [word for text in overrides for word in ("--set", text)]
    return shlex.join([*words, "--out", "again"])
