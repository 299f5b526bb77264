"""Packages that only some functions need."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def need(package: str, what: str, install: str = "'neuraltree[export]'") -> Any:
    """The imported package; ``ValueError`` says how to install it, by ``pip install``, if it is missing."""
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != package.partition(".")[0]:
            raise
        raise ValueError(f"{what} needs the package {package}: pip install {install}") from None
