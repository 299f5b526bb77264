"""docs/configuration.md: every key of a config file, from the structs of ``search.config.settings``."""

from __future__ import annotations

from typing import Any

import msgspec
import tomli_w

from neuraltree.cli.markdown import code, page, table
from search.config.settings import Config
from search.strict import allowed_values, bare, choices

INTRODUCTION = """\
A config is a TOML file of the sections below. What it leaves out has the default shown; only `data.source` has none.
Unknown sections and keys, wrong types and values out of range are refused in one line that says what is allowed.

    python -m search.run my.toml --dry-run                         # every key as it would run, and what that costs
    python -m search.run my.toml --set search.population=400       # one key changed; may be repeated
    python -m search.run my.toml --seed 3 --out results/mine       # short for run.seed and run.out

Paths in a file count from the file; in `--set`, `--seed` and `--out` they count from the current folder. The config as
run is kept as `config.toml` in the run folder, with every key written out. Names that a key may have, of objectives,
activations, devices and operators, are in [tables.md](tables.md)."""


def configuration() -> str:
    fields = msgspec.structs.fields(Config)
    sections = [part for field in fields for part in _section(field)]
    return page("Configuration", INTRODUCTION, *sections)


def _section(field: Any) -> list[str]:
    kind = bare(field.type)
    heading = f"## [{field.name}]"
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        summary = " ".join((kind.__doc__ or "").split())
        rows = [_row(key) for key in msgspec.structs.fields(kind)]
        return [heading, summary, table(("key", "allowed", "default", "meaning"), rows)]
    return [heading, f"{linked(field.type)} Each value is {allowed_values(kind.__args__[1])}."]


def _row(key: Any) -> tuple[str, str, str, str]:
    allowed = ", ".join(map(code, choices(key.type))) or allowed_values(key.type)
    default = "required" if key.required else code(_toml(key.default))
    return code(key.name), allowed, default, linked(key.type)


def linked(annotation: Any) -> str:
    """Its meaning, where another page is named with a link to it."""
    return meaning(annotation).replace("tables.md", "[tables.md](tables.md)")


def meaning(annotation: Any) -> str:
    """What the structs say of a key; ``ValueError`` where they say nothing."""
    found = [note.description for note in getattr(annotation, "__metadata__", ()) if note.description]
    if len(found) != 1:
        raise ValueError(f"{annotation} has {len(found)} descriptions; give it one, as Meta(description=...)")
    return str(found[0])


def _toml(value: Any) -> str:
    text = tomli_w.dumps({"x": list(value) if isinstance(value, tuple) else value})
    return " ".join(text.removeprefix("x = ").split()).replace("[ ", "[").replace(", ]", "]").replace(",]", "]")
