"""The public API, names and signatures, against a recorded list: nobody's program breaks by accident.

After a change that is meant: ``python -m tests.project.test_public_api`` writes the list anew.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

RECORDED = Path(__file__).with_name("public_api.txt")
PACKAGES = (
    "neuraltree",
    "neuraltree.compress",
    "neuraltree.estimators",
    "neuraltree.export",
    "neuraltree.federated",
    "neuraltree.hardware",
    "neuraltree.hardware.measure",
    "neuraltree.mixtures",
    "neuraltree.plot",
    "neuraltree.robustness",
    "neuraltree.schema",
    "neuraltree.signals",
    "search",
    "search.baselines",
    "search.card",
    "search.config",
    "search.pictures",
    "search.selection",
    "search.table",
)
# What users hold in their hands without importing its class: module and class by what returns it.
RETURNED = {
    "search.load_front()": ("search.front", "Front"),
    "search.load_front()[0]": ("search.front", "Member"),
    "search.load_history()": ("search.folder.history", "History"),
}


def names_of(package: str) -> list[str]:
    """Those in ``__all__``, or those that the package imports by name or defines."""
    module = importlib.import_module(package)
    if hasattr(module, "__all__"):
        return sorted(module.__all__)
    own = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    return sorted(
        name
        for name, value in own.items()
        if not inspect.ismodule(value) and str(getattr(value, "__module__", package)).startswith(package.split(".")[0])
    )


def described(name: str, value: object) -> Iterator[str]:
    """A line for a function; for a class one for itself and one for each public attribute that it has of ours."""
    if inspect.isclass(value):
        yield f"{name}{signature(value)}"
        for key, attribute in sorted(inspect.getmembers_static(value)):
            if key.startswith("_") or not _is_ours(value, key):
                continue
            if isinstance(attribute, staticmethod | classmethod):
                attribute = attribute.__func__
            yield f"{name}.{key}{signature(attribute) if inspect.isfunction(attribute) else ''}"
    elif callable(value):
        yield f"{name}{signature(value)}"
    else:
        yield name


def signature(value: object) -> str:
    """Names, kinds and defaults of the parameters, without annotations."""
    try:
        found = inspect.signature(value)  # type: ignore[arg-type]
    except ValueError:
        return "(...)"
    bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in found.parameters.values()]
    return str(found.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def _is_ours(owner: type, key: str) -> bool:
    home = next(base for base in owner.__mro__ if key in vars(base))
    return home.__module__.split(".")[0] in ("neuraltree", "search")


def listed() -> list[str]:
    lines: list[str] = []
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in names_of(package):
            lines += described(f"{package}.{name}", getattr(module, name))
    for name, (module_name, kind) in RETURNED.items():
        lines += described(name, getattr(importlib.import_module(module_name), kind))
    return lines


def test_names_and_signatures_are_those_recorded() -> None:
    found, recorded = listed(), RECORDED.read_text("utf-8").splitlines()
    assert not set(recorded) - set(found), "gone or changed"
    assert not set(found) - set(recorded), "new, or changed; record it if it is meant"
    assert found == recorded


if __name__ == "__main__":
    RECORDED.write_text("\n".join(listed()) + "\n", "utf-8")
