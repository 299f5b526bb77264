"""The rows an estimator learns from, checked as scikit-learn checks them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_X_y, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from neuraltree.arrays import FloatArray
from neuraltree.estimators.frame_columns import learned_columns
from neuraltree.inputs.encoders import Column
from neuraltree.inputs.encoding import encode, feature_names
from neuraltree.inputs.frames import is_frame
from neuraltree.tree.labels import Label, positive_last


@dataclass(frozen=True)
class Sample:
    """``X`` (rows, features), ``y``, and the weight and the group of each row.

    If ``kind`` is "regression", ``y`` is (rows,) or (rows, targets) float64. If it is "binary" or "multiclass", ``y``
    (rows,) holds positions in ``classes``. ``weight`` (rows,) holds the weights in training; None if all count alike.
    ``groups`` (rows,) holds the numbers of groups that a search must not part, from 0; None if rows can go anywhere.
    ``columns`` are those that the features come from; None if they are the columns themselves.
    """

    X: FloatArray
    y: NDArray
    kind: str
    features: tuple[str, ...]
    classes: tuple[Label, ...] | None = None
    weight: FloatArray | None = None
    groups: NDArray[np.int64] | None = None
    columns: tuple[Column, ...] | None = None

    @property
    def targets(self) -> int:
        return 1 if self.y.ndim == 1 else self.y.shape[1]


def regression_sample(
    estimator: Any, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, *, new: bool
) -> Sample:
    """Checked rows for a regression. If ``new``, the estimator takes the number and names of its features from them."""
    X, y, columns = _validated(estimator, X, y, new=new, multi_output=True, y_numeric=True)
    y = np.asarray(y, dtype=np.float64)
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    weight = _weights(sample_weight, X)
    return Sample(X, y, "regression", _features(estimator, X, columns), None, weight, columns=columns)


def class_sample(
    estimator: Any,
    X: ArrayLike,
    y: ArrayLike,
    sample_weight: ArrayLike | None,
    *,
    new: bool,
    classes: NDArray | None,
    class_weight: Any,
    positive: Label | None = None,
) -> tuple[Sample, NDArray]:
    """Checked rows for a classifier, and its two or more classes: those given, or else those in ``y``, sorted.

    The classes of the sample are in the same order, but for a ``positive`` one of two, which is the last.
    """
    X, y, columns = _validated(estimator, X, _exact(y), new=new)
    check_classification_targets(y)
    classes = np.unique(y) if classes is None else classes
    # A loaded tree may have its classes in any order, and NumPy compares integers of two types as doubles.
    code = {label: place for place, label in enumerate(classes.tolist())}
    for label in np.unique(y).tolist():
        if label not in code:
            raise ValueError(f"y holds the class {label!r}, which is not one of the known classes: {classes.tolist()}")
    if len(classes) < 2:
        raise ValueError(f"y has one class only, {classes.tolist()[0]!r}; a classifier needs two classes or more")
    if positive is not None:
        try:
            code = {label: place for place, label in enumerate(positive_last(classes.tolist(), positive))}
        except ValueError as error:
            raise ValueError(f"positive: {error}, in y") from None
    weight = _weights(sample_weight, X)
    if class_weight is not None:
        by_class = _checked(compute_sample_weight(class_weight, y), "class_weight")
        weight = by_class if weight is None else _checked(weight * by_class, "sample_weight by class_weight")
    kind = "binary" if len(classes) == 2 else "multiclass"
    codes = np.array([code[label] for label in y.tolist()], dtype=np.int64)
    return Sample(X, codes, kind, _features(estimator, X, columns), tuple(code), weight, columns=columns), classes


def _exact(y: Any) -> Any:
    """Convert nullable integers and booleans of pandas to NumPy's; scikit-learn would convert them to doubles."""
    dtype = getattr(getattr(y, "dtype", None), "numpy_dtype", None)
    whole = dtype is not None and dtype.kind in "biu" and not y.isna().any()
    return y.to_numpy(dtype=dtype) if whole else y


def merged(sample: Sample) -> Sample:
    """The same rows, with equal rows merged into one of their summed weight, and rows of weight zero left out.

    A row of weight 2 then gives the same bits as the same row twice, whatever the order of the sums.
    """
    weight = np.ones(len(sample.X)) if sample.weight is None else sample.weight
    kept = weight > 0
    together = np.column_stack([sample.X, sample.y])[kept]
    _, first, group = np.unique(together, axis=0, return_index=True, return_inverse=True)
    rows = np.flatnonzero(kept)[first]
    summed = np.bincount(group.ravel(), weight[kept]).astype(np.float64)
    return replace(sample, X=sample.X[rows], y=sample.y[rows], weight=summed, groups=None)


def grouped(sample: Sample, groups: ArrayLike | None) -> Sample:
    """The sample with groups named by any labels; ``ValueError`` unless there is one for each row.

    Without a search nothing is split, so that groups change nothing; they are checked all the same.
    """
    if groups is None:
        return sample
    labels = check_array(groups, ensure_2d=False, dtype=None, input_name="groups")
    if labels.shape != (len(sample.X),):
        raise ValueError(
            f"groups has shape {labels.shape}; X has {len(sample.X)} rows, so it must be ({len(sample.X)},)"
        )
    names = labels.tolist()
    if None in names:
        raise ValueError(f"groups has no label in row {names.index(None)}; name a group for every row")
    number = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return replace(sample, groups=np.array([number[name] for name in names], dtype=np.int64))


def _validated(
    estimator: Any, X: ArrayLike, y: ArrayLike, *, new: bool, **how: Any
) -> tuple[FloatArray, NDArray, tuple[Column, ...] | None]:
    """Checked rows and targets, and the columns that the rows come from: learned if ``new``."""
    # One row has no spread to fit a scaling to, but partial_fit of a fitted tree accepts a single row.
    how |= {"dtype": np.float64, "ensure_min_samples": 2 if new else 1}
    columns = learned_columns(X, getattr(estimator, "missing", None)) if new else estimator.columns_
    if columns is None:
        return (*validate_data(estimator, X, y, reset=new, **how), None)
    return (*check_X_y(_rows_of_frame(estimator, columns, X, new=new), y, estimator=estimator, **how), columns)


def rows_to_predict(estimator: Any, X: Any) -> NDArray:
    """(rows, features) of the rows that a fitted estimator is asked about, checked like those of its ``fit``."""
    if estimator.columns_ is None:
        # 4-byte floats stay as they are here: they are widened when used, a few rows at a time.
        return validate_data(estimator, X, reset=False, dtype=[np.float64, np.float32])
    return _rows_of_frame(estimator, estimator.columns_, X, new=False)


def _rows_of_frame(estimator: Any, columns: Sequence[Column], X: Any, *, new: bool) -> FloatArray:
    """(rows, features) of a frame with these columns; ``new``: the estimator keeps their number and names."""
    table = X if is_frame(X) else check_array(X, dtype=object, ensure_all_finite=False, estimator=estimator)
    validate_data(estimator, table, reset=new, skip_check_array=True)
    return encode(columns, table)


def _features(estimator: Any, X: FloatArray, columns: Sequence[Column] | None) -> tuple[str, ...]:
    if columns is not None:
        return feature_names(columns)
    return tuple(getattr(estimator, "feature_names_in_", [f"x{i}" for i in range(X.shape[1])]))


def _weights(sample_weight: ArrayLike | None, X: FloatArray) -> FloatArray | None:
    if sample_weight is None:
        return None
    weight = check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
    if weight.shape != (len(X),):
        raise ValueError(f"sample_weight has shape {weight.shape}; X has {len(X)} rows, so it must be ({len(X)},)")
    return _checked(weight, "sample_weight")


def _checked(weight: FloatArray, name: str) -> FloatArray:
    """Row weights, scaled so that the largest is from 0.5 to 1: only ratios count, and sums of extremes overflow."""
    sound = np.isfinite(weight) & (weight >= 0)
    if not sound.all():
        row = int(np.argmin(sound))
        raise ValueError(f"{name} must be finite and zero or more; it is {weight[row]:g} in row {row}")
    if not weight.any():
        raise ValueError(f"{name} is zero in every row; there is nothing to learn from")
    # Scaling by a power of two changes no digit.
    return np.ldexp(weight, -int(np.frexp(weight.max())[1]))
