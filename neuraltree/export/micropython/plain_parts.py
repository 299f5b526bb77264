"""Pieces of exported MicroPython modules. They run in CPython as well."""

from __future__ import annotations

HEAD = """# {name}: a neural tree, {kind}, {weights} weights. {mark}; do not edit.
#
# Inputs of predict(x), in their own units:
{inputs}
from array import array
from math import exp, sin, tanh
from struct import unpack

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):
        return value


"""

CLASSIFIER = '''def predict(x):
    """The class for raw inputs x."""
    return CLASSES[_class(x)]
'''

# ``_values(x)`` are logits, or of sigmoid outputs the weighted sums under the sigmoids.
BINARY = '''def probabilities(x):
    """The probability of each class, in the order of CLASSES."""
    s = _values(x)[0]
    decay = exp(-abs(s))  # never overflows
    second = (1.0 if s > 0 else decay) / (1.0 + decay)
    return (1.0 - second, second)
'''
SOFTMAX = '''def probabilities(x):
    """The probability of each class, in the order of CLASSES."""
    values = _values(x)
    top = max(values)
    powers = [exp(value - top) for value in values]
    total = sum(powers)
    return [power / total for power in powers]
'''
SHARES = '''def probabilities(x):
    """The probability of each class, in the order of CLASSES."""
    shares = _shares(x)
    total = sum(shares)
    return [share / total if total > 0 else 1 / len(shares) for share in shares]
'''
LINKS = {
    ("binary", "identity"): BINARY,
    ("multiclass", "identity"): SOFTMAX,
    ("multiclass", "sigmoid"): SHARES,
}

LARGEST = '''def _largest(y):
    """The position of the first of the largest."""
    best = 0
    for k in range(1, len(y)):
        if y[k] > y[best]:
            best = k
    return best
'''
