"""Plain data into structs of msgspec, from any number of threads."""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

Made = TypeVar("Made")
_converting = threading.RLock()  # msgspec crashes if several threads are the first to use a struct


def to_struct(data: Any, kind: type[Made]) -> Made:
    """``data`` as ``kind``, a struct or a container of structs; ``msgspec.ValidationError`` if it is not one."""
    with _converting:
        return msgspec.convert(data, kind)
