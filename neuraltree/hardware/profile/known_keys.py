"""Conversion of raw tables into profiles; an unknown key is an error that names the allowed keys."""

from __future__ import annotations

import types
from functools import cache
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Struct

from neuraltree.structs import to_struct

Made = TypeVar("Made", bound=Struct)


def convert(data: dict[str, Any], made: type[Made]) -> Made:
    """``data`` as an instance of ``made``; ``ValueError`` says what is wrong and where."""
    check_known(data, made)
    return to_struct(data, made)


def check_known(data: Any, kind: Any, where: str = "", also: tuple[str, ...] = ()) -> None:
    """``ValueError`` for a key that has no field in ``kind``; the message also names the keys ``also`` as allowed.

    It walks through ``data`` and its type together; msgspec finds all other errors.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        check_known(data, arguments[0], where)
    elif origin in (Union, types.UnionType):
        for each in arguments:
            check_known(data, each, where)
    elif isinstance(data, list) and origin in (list, tuple):
        for i, item in enumerate(data):
            check_known(item, arguments[0], f"{where}[{i}]")
    elif isinstance(data, dict) and origin is dict:
        for key, item in data.items():
            check_known(item, arguments[1], _below(where, key))
    elif isinstance(data, dict) and isinstance(kind, type) and issubclass(kind, Struct):
        fields = _fields(kind)
        for key, item in data.items():
            if key not in fields:
                raise ValueError(f"unknown key {_below(where, key)}; allowed: {', '.join((*also, *fields))}")
            check_known(item, fields[key], _below(where, key))


@cache
def _fields(kind: type[Struct]) -> dict[str, Any]:
    """The type of every field; kept, because finding it takes a millisecond and a profile has hundreds of tables."""
    return {field.name: field.type for field in msgspec.structs.fields(kind)}


def _below(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key
