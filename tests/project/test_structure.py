"""The structure of the code: imports go one way between modules and folders, names are unique, folders are small."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import structure

# From the lowest folder to the highest: each imports only from those above it in this list, and from itself.
ORDER = (
    "neuraltree.lazy",
    "neuraltree",
    "neuraltree.arrays",
    "neuraltree.caches",
    "neuraltree.option_values",
    "neuraltree.storing",
    "neuraltree.structs",
    "neuraltree.activations",
    "neuraltree.schema",
    "neuraltree.inputs",
    "neuraltree.tasks",
    "neuraltree.tree",
    "neuraltree.engine",
    "neuraltree.signals",
    "neuraltree.federated",
    "neuraltree.cli",
    "neuraltree.plot",
    "neuraltree.compress",
    "neuraltree.robustness",
    "neuraltree.updating",
    "neuraltree.export",
    "neuraltree.hardware",
    "neuraltree.estimators",
    "neuraltree.fuzzy",
    "neuraltree.mixtures",
    "search",
    "search.errors",
    "search.interrupts",
    "search.strict",
    "search.plain_arrays",
    "search.reading",
    "search.objectives",
    "search.baselines",
    "search.variation",
    "search.selection",
    "search.fuzzy",
    "search.config",
    "search.table",
    "search.engine",
    "search.federated",
    "search.folder",
    "search.pictures",
    "search.verdict",
    "search.front_views",
    "search.front",
    "search.judge",
    "search.teachers",
    "search.executors",
    "search.card",
    "search.runs",
    "search.evolution",
    "search.run",
    "search.worker",
    "search.report",
    "search.playback",
    "search.compressing",
    "search.cli",
    "experiments",
    "benchmarks",
    "tools",
)
PATHS = structure.modules()
GRAPH = structure.import_graph(PATHS)


def test_there_is_no_import_cycle() -> None:
    assert structure.cycle(GRAPH) == []


def test_folders_import_from_lower_folders_only() -> None:
    folders = structure.by_folder(GRAPH, PATHS)
    assert sorted(folders) == sorted(ORDER), "name a new folder at its place in ORDER"
    wrong = [
        (name, other) for name, others in folders.items() for other in others if ORDER.index(other) > ORDER.index(name)
    ]
    assert wrong == []


def test_no_two_modules_share_a_name_and_no_folder_is_crowded() -> None:
    assert structure.repeated_names(PATHS) == []
    assert structure.crowded_folders(PATHS) == {}


def test_the_longest_chain_does_not_grow_unnoticed() -> None:
    assert len(structure.longest_chain(GRAPH)) <= 25


def test_every_import_is_seen_and_one_for_type_checkers_is_not(tmp_path: Path) -> None:
    sources = {
        "a.b": "from a import c\nfrom a.d import thing\n",
        "a.c": "def late():\n    import a.d\n",
        "a.d": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a import b\n",
        "a": "",
    }
    paths = {name: tmp_path / f"{name}.py" for name in sources}
    for name, source in sources.items():
        paths[name].write_text(source)
    graph = structure.import_graph(paths)
    assert graph == {"a.b": {"a.c", "a.d"}, "a.c": {"a.d"}, "a.d": set(), "a": set()}
    assert structure.longest_chain(graph) == ["a.b", "a.c", "a.d"]
    paths["a.d"].write_text("from a.b import thing\n")
    assert set(structure.cycle(structure.import_graph(paths))) == {"a.b", "a.d"}


@pytest.mark.parametrize(("names", "found"), [(("a.x", "b.y"), []), (("a.x", "b.x"), ["x"]), (("a.run", "b.run"), [])])
def test_a_repeated_name_is_found(names: tuple[str, ...], found: list[str]) -> None:
    assert structure.repeated_names({name: Path(f"{name.replace('.', '/')}.py") for name in names}) == found


def test_a_crowded_folder_is_found() -> None:
    paths = {f"a.m{i}": Path(f"a/m{i}.py") for i in range(structure.MOST_FILES + 1)}
    assert structure.crowded_folders(paths) == {"a": structure.MOST_FILES + 1}
