"""``python -m tools.structure``: the imports and folders of the code, in numbers; the tests check the same figures.

Imports inside functions count too; imports for type checkers alone do not count.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from neuraltree.cli.command import DONE, Parser, run_command

ROOT = Path(__file__).parents[1]
PACKAGES = ("neuraltree", "search", "experiments", "benchmarks", "tools")
MOST_FILES = 12
# Folders whose files are rows of a table; they may have more files.
ROWS = ("neuraltree.activations",)
# Names that several modules may have: a command, and the two files of every experiment.
SHARED_NAMES = ("__main__", "run", "page")

Graph = Mapping[str, set[str]]


def modules() -> dict[str, Path]:
    """All modules by dotted name; a package is its ``__init__``."""
    paths = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


def import_graph(paths: Mapping[str, Path]) -> dict[str, set[str]]:
    """The modules that each module imports."""
    return {name: set(_imports(path, paths)) - {name} for name, path in paths.items()}


def _imports(path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    for node in _at_run_time(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            yield from (name for name in inner.values() if name in known)
            if node.module in known and any(name not in known for name in inner.values()):
                yield node.module


def _at_run_time(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all nodes below it, without blocks for type checkers."""
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _at_run_time(child)


def cycle(graph: Graph) -> list[str]:
    """A cycle of imports, empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def longest_chain(graph: Graph) -> list[str]:
    """The longest chain of modules in which each module imports the next."""
    chains: dict[str, list[str]] = {}
    for name in TopologicalSorter(graph).static_order():
        below = max((chains[other] for other in graph[name]), key=len, default=[])
        chains[name] = [name, *below]
    return max(chains.values(), key=len)


def by_folder(graph: Graph, paths: Mapping[str, Path]) -> dict[str, set[str]]:
    """The import graph between folders: those directly below ``neuraltree`` and ``search``, and whole packages."""
    found: dict[str, set[str]] = {}
    for name, others in graph.items():
        own = folder_of(name, paths)
        found.setdefault(own, set()).update(folder_of(other, paths) for other in others)
    return {name: others - {name} for name, others in found.items()}


def folder_of(name: str, paths: Mapping[str, Path]) -> str:
    """``neuraltree.tree`` for ``neuraltree.tree.nodes``; a module directly in one of the two is its own folder."""
    parts = name.split(".")
    return ".".join(parts[:2]) if parts[0] in ("neuraltree", "search") else parts[0]


def repeated_names(paths: Mapping[str, Path]) -> list[str]:
    """Names that several modules have, without those in ``SHARED_NAMES``."""
    counts = Counter(path.stem for path in paths.values() if path.name != "__init__.py")
    return sorted(name for name, count in counts.items() if count > 1 and name not in SHARED_NAMES)


def crowded_folders(paths: Mapping[str, Path]) -> dict[str, int]:
    """Folders with more than ``MOST_FILES`` modules, and the number of modules; ``__init__`` does not count."""
    counts = Counter(name.rpartition(".")[0] for name, path in paths.items() if path.name != "__init__.py")
    return {name: count for name, count in counts.items() if count > MOST_FILES and name not in ROWS}


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    Parser(
        prog="python -m tools.structure",
        description="Print figures of the structure of this checkout: import cycles, import chains, folders.",
        epilog="exit codes: 0 done, 2 bad input, 130 interrupted",
    ).parse_args(argv)
    paths = modules()
    graph = import_graph(paths)
    print(f"{len(paths)} modules in {len({path.parent for path in paths.values()})} folders")
    print(f"import cycle: {' -> '.join(cycle(graph)) or 'none'}")
    print(f"cycle of folders: {' -> '.join(cycle(by_folder(graph, paths))) or 'none'}")
    if not cycle(graph):
        chain = longest_chain(graph)
        print(f"longest import chain: {len(chain)} modules, {' -> '.join(chain)}")
    print(f"repeated names: {', '.join(repeated_names(paths)) or 'none'}")
    print(f"folders of more than {MOST_FILES} files: {crowded_folders(paths) or 'none'}")
    return DONE


if __name__ == "__main__":
    run_command(main)
