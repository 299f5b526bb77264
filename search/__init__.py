"""The evolution of neural trees."""

from typing import Any

__all__ = ["load_front"]


def __getattr__(name: str) -> Any:
    if name == "load_front":
        from search.front import load_front

        return load_front
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
