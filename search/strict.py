"""Nested tables into frozen structs; errors are one line: which key is wrong, its value, and the allowed values."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import msgspec
from msgspec import inspect

from neuraltree.structs import to_struct
from search.errors import InputError

T = TypeVar("T", bound=msgspec.Struct)


def convert_tables(raw: dict[str, Any], into: type[T], source: str) -> T:
    """Parsed TOML as the struct ``into``, whose fields are structs or ``dict`` tables.

    Messages begin with ``source``.
    """
    sections = {field.name: bare(field.type) for field in msgspec.structs.fields(into)}
    homes = {
        key.name: name for name, kind in sections.items() if _is_struct(kind) for key in msgspec.structs.fields(kind)
    }
    for name in raw:
        check_known(name, sections, f"{source}: unknown section or key {_key(name)}", homes)
    for name, kind in sections.items():
        table = raw.get(name, {})
        if not isinstance(table, dict):
            raise InputError(f"{source}: {name} = {shown(table)} is not a table; write [{name}] and its keys below it")
        if _is_struct(kind):
            _check_section(table, kind, name, source, homes)
        else:
            value_kind = kind.__args__[1]
            for key, value in table.items():
                _check_value(value, value_kind, f"{source}: {name}.{_key(key)}")
    return to_struct({name: raw.get(name, {}) for name in sections}, into)


def check_known(name: str, allowed: Iterable[str], problem: str, homes: dict[str, str] | None = None) -> None:
    """Raise ``InputError`` unless ``name`` is allowed; the message has the allowed names and the nearest one.

    ``homes`` maps each key to its section; it serves keys written under the wrong heading.
    """
    names = list(allowed)
    if name in names:
        return
    near = difflib.get_close_matches(name, names, n=1)
    if homes and name in homes:
        near = [f"{homes[name]}.{name}"]
    hint = f"; did you mean {near[0]}?" if near else ""
    raise InputError(f"{problem}; allowed: {listed(names)}{hint}")


def one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def listed(names: Sequence[str], most: int = 40) -> str:
    """Names for a message, at most ``most`` of them."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(map(_key, names[:most])) or "none") + more


def shown(value: object, width: int = 60) -> str:
    """A value for a message: its ``repr``, cut to ``width`` characters."""
    try:
        text = repr(value)
    except ValueError:  # Python refuses to write an integer of more than 4300 digits
        text = f"a {type(value).__name__} too long to show"
    return text if len(text) <= width else text[: width - 3] + "..."


def _key(name: str) -> str:
    return name if name.isprintable() else repr(name)


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _check_section(table: dict[str, Any], kind: Any, name: str, source: str, homes: dict[str, str]) -> None:
    keys = {field.name: field for field in msgspec.structs.fields(kind)}
    for key in table:
        check_known(key, keys, f"{source}: unknown key {name}.{_key(key)}", homes)
    for key, field in keys.items():
        if key in table:
            _check_value(table[key], field.type, f"{source}: {name}.{key}")
        elif field.required:
            raise InputError(f"{source}: {name}.{key} is missing; allowed: {allowed_values(field.type)}")


def _check_value(value: object, kind: Any, where: str) -> None:
    try:
        to_struct(value, kind)
    except msgspec.ValidationError:
        names = choices(kind)
        if isinstance(value, str) and names:
            check_known(value, names, f'{where} = "{value}" is not allowed')
        raise InputError(f"{where} = {shown(value)} is not allowed; allowed: {allowed_values(kind)}") from None


def bare(annotation: Any) -> Any:
    """A type without its ``Annotated`` notes."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def choices(annotation: Any) -> tuple[str, ...]:
    """The names that a key allows; () if its type is not a choice of names."""
    kind = bare(annotation)
    return tuple(sorted(map(str, get_args(kind)))) if get_origin(kind) is Literal else ()


def allowed_values(annotation: Any) -> str:
    """The type and range of a key, in words."""
    return _allowed(inspect.type_info(annotation))


def _allowed(info: Any) -> str:
    return _TEXTS[type(info)](info)


def _range(info: Any) -> str:
    limits = ((">", info.gt), (">=", info.ge), ("<", info.lt), ("<=", info.le))
    return " and ".join(f"{sign} {limit}" for sign, limit in limits if limit is not None)


_TEXTS: dict[type, Callable[[Any], str]] = {
    inspect.Metadata: lambda info: _allowed(info.type),  # a type with a description
    inspect.IntType: lambda info: f"a whole number {_range(info)}".strip(),
    inspect.FloatType: lambda info: f"a number {_range(info)}".strip(),
    inspect.StrType: lambda info: "a text in quotes",
    inspect.BoolType: lambda info: "true or false",
    inspect.LiteralType: lambda info: ", ".join(f'"{value}"' for value in info.values),
    inspect.VarTupleType: lambda info: f"a list, each entry {_allowed(info.item_type)}",
    inspect.DictType: lambda info: f"a table, each value {_allowed(info.value_type)}",
    inspect.UnionType: lambda info: " or ".join(_allowed(kind) for kind in info.types),
}
