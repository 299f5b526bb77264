"""The published JSON Schema of model files."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

VERSION = 1


def tree_schema() -> dict[str, Any]:
    """The schema (JSON Schema, draft 2020-12) of what ``neuraltree.save`` writes.

    It says what single parts may be. What ties parts together (depths in prefix order, one output per class, one scaler
    column per feature) only ``neuraltree.load`` checks.
    """
    return json.loads(files(__name__).joinpath(f"tree-v{VERSION}.schema.json").read_text("utf-8"))
