"""Columns whose numbers are integers in C: their limits, missing cells, and the numbers of rules in their scale."""

from __future__ import annotations

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.compress.formats import Input
from neuraltree.inputs.encoders import Column
from neuraltree.inputs.features import RULES, Rule


def with_holes(rule: Rule, x: FloatArray, one: Input) -> FloatArray:
    """The integers of a column with NaN for the one that stands for a missing cell, if the rule knows such cells."""
    return x if rule is RULES["value"] else np.where(x == one.row.hole, np.nan, x)


def integer_numbers(rule: Rule, numbers: tuple[float, ...], one: Input) -> tuple[float, ...]:
    """The numbers of a rule for a column of integers: what fills a missing cell has their scale and is rounded."""
    return tuple(float(round(number * one.scale)) for number in numbers) if rule is RULES["filled"] else numbers


def integer_limits(column: Column, one: Input) -> tuple[int, int]:
    """The least and the largest integer that a column was learned from."""
    ends = np.clip(np.rint(np.array(column.seen[:2]) * one.scale), one.row.low, one.row.high)
    return int(ends[0]), int(ends[1])
