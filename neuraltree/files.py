"""Trees as JSON files: written losslessly in our own format, read from it or from the reference's.

Everything in a file is checked before it is used, and a ``FileError`` says what is wrong and where.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import msgspec
import numpy as np
from msgspec import UNSET, Meta, Struct, UnsetType
from numpy.typing import ArrayLike

from neuraltree import reference
from neuraltree.activations import NAMES, code_of
from neuraltree.model import Label, Tree
from neuraltree.scaler import Scaler
from neuraltree.tree import TreeError, node_dtype

VERSION = 1


class FileError(ValueError):
    """A file is not a tree; the message says what is wrong and where."""


class _Scaler(Struct, forbid_unknown_fields=True):
    mean: list[float]
    scale: list[float]


class _Node(Struct, forbid_unknown_fields=True):
    """A function node has an activation and a bias, a leaf a feature."""

    depth: Annotated[int, Meta(ge=0, le=np.iinfo(np.int16).max)]
    weight: float
    activation: Literal[NAMES] | UnsetType = UNSET
    bias: float | UnsetType = UNSET
    feature: Annotated[int, Meta(ge=0, le=np.iinfo(np.int32).max)] | UnsetType = UNSET


class _File(Struct, forbid_unknown_fields=True):
    format: Literal["neuraltree"]
    version: Literal[1]
    kind: str
    features: list[str]
    classes: list[str | int | float | bool] | None
    scaler: _Scaler | None
    target_scaler: _Scaler | None
    nodes: list[_Node]
