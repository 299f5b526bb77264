"""docs/configuration.md: every key of a config file, from the structs of ``search.config.settings``."""

from __future__ import annotations

from typing import Any

import msgspec
import tomli_w

from neuraltree.cli.markdown import code, page, table
from search.config.config import default_of
from search.config.settings import Config
from search.strict import allowed_values, bare, choices

INTRODUCTION = """\
A config is a TOML file with the sections below. A key that it leaves out has the default shown; only `data.source` has
no default. Unknown sections and keys, wrong types and values out of range are refused in one line with the allowed
values.

    python -m search.run my.toml --dry-run                         # print every key, and an estimate of the cost
    python -m search.run my.toml --set search.population=400       # set one key; may be repeated
    python -m search.run my.toml --seed 3 --out results/mine       # set run.seed and run.out

Paths in the file are relative to the file; paths in `--set` and `--out` are relative to the current folder. The run
folder keeps the config as run, with every key written out, as `config.toml`. [tables.md](tables.md) lists the names of
objectives, activations, devices and operators."""


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
    default = "required" if key.required else code(_toml(default_of(key)))
    return code(key.name), allowed, default, linked(key.type)


def linked(annotation: Any) -> str:
    """The meaning of a key, with the name of another page turned into a link."""
    text = meaning(annotation)
    for other in ("tables.md", "compression.md"):
        text = text.replace(other, f"[{other}]({other})")
    return text


def meaning(annotation: Any) -> str:
    """The description of a key in the structs; ``ValueError`` unless there is exactly one."""
    found = [note.description for note in getattr(annotation, "__metadata__", ()) if note.description]
    if len(found) != 1:
        raise ValueError(f"{annotation} has {len(found)} descriptions; give it one, as Meta(description=...)")
    return str(found[0])


def _toml(value: Any) -> str:
    if value == {}:
        return "{}"
    text = tomli_w.dumps({"x": list(value) if isinstance(value, tuple) else value})
    return " ".join(text.removeprefix("x = ").split()).replace("[ ", "[").replace(", ]", "]").replace(",]", "]")
