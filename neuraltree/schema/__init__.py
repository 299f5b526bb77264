"""The published JSON Schema of model files."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

VERSION = 2


def tree_schema() -> dict[str, Any]:
    """The schema (JSON Schema, draft 2020-12) of the files that ``neuraltree.save`` writes.

    It checks single parts. Only ``neuraltree.load`` checks rules between parts: depths in prefix order, one output per
    class, one scaler column per feature.
    """
    return json.loads(files(__name__).joinpath(f"tree-v{VERSION}.schema.json").read_text("utf-8"))
