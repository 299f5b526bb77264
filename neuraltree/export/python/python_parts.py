"""Pieces of exported Python modules; each does the same operations in the same order as ``neuraltree``."""

from __future__ import annotations

OUTPUTS_OF_COLUMNS = '''def outputs(X):
    """(rows, outputs) of the tree for columns X as in ``numbers``."""
    X = features(X)'''
OUTPUTS = '''def outputs(X):
    """(rows, outputs) of the tree for raw inputs X (rows, {width})."""
    X = np.asarray(X, dtype=np.float64)
    if X.ndim != 2 or X.shape[1] != {width}:
        raise ValueError(f"X has shape {{X.shape}}; the tree needs (rows, {width})")'''

ONE_TARGET = '''def predict(X):
    """(rows,) the target in its own units for raw inputs X (rows, features)."""
    return outputs(X)[:, 0]
'''
SEVERAL_TARGETS = '''def predict(X):
    """(rows, targets) the targets in their own units for raw inputs X (rows, features)."""
    return outputs(X)
'''
REGRESSION = {False: ONE_TARGET, True: SEVERAL_TARGETS}

PAIR = '''def class_outputs(X):
    """(rows, 2): the single logit z is the pair (0, z)."""
    z = outputs(X)
    return np.hstack([np.zeros_like(z), z])
'''
CLASSIFIER = {"binary": PAIR, "multiclass": "class_outputs = outputs\n"}

SOFTMAX = """def probabilities(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
"""
NORMALISE = """def probabilities(shares):
    total = shares.sum(axis=1, keepdims=True)
    even = np.full_like(shares, 1 / shares.shape[1])
    return np.divide(shares, total, out=even, where=total > 0)
"""
LINKS = {"identity": SOFTMAX, "sigmoid": NORMALISE}

LARGEST = '''def predict(X):
    """(rows,) classes for raw inputs X (rows, features); the first of equal outputs wins."""
    return np.array(CLASSES, dtype="{dtype}")[class_outputs(X).argmax(axis=1)]
'''
ABOVE_THRESHOLD = '''def predict(X):
    """(rows,) classes for raw inputs X (rows, features): the second if its probability is above {threshold}."""
    above = ~(outputs(X)[:, 0] <= {logit!r})  # the logit of {threshold}, as a single float
    return np.array(CLASSES, dtype="{dtype}")[above.astype(int)]
'''
PREDICT = {True: LARGEST, False: ABOVE_THRESHOLD}  # by whether the threshold is 0.5

PROBABILITIES = '''def predict_proba(X):
    """(rows, classes) probabilities in the order of CLASSES for raw inputs X (rows, features)."""
    return probabilities(class_outputs(X))
'''

CHECK = """if __name__ == "__main__":
    ROWS = {rows}
    OUTPUTS = {wanted}
    right = np.isclose(outputs(ROWS), OUTPUTS, rtol=1e-9, atol=1e-12, equal_nan=True).all(axis=1)
    print(f"{{right.sum()}} of {{len(right)}} rows are right")
    raise SystemExit(not right.all())
"""
