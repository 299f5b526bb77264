"""Features of windows as a transformer of scikit-learn, for arrays of samples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from neuraltree.arrays import FloatArray
from neuraltree.signals.front_end.axis_groups import axis_groups
from neuraltree.signals.front_end.feature_candidates import candidates
from neuraltree.signals.front_end.feature_names import Step, Stream, Wanted
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.signals.recordings.raw_recording import numbered_channels
from neuraltree.signals.recordings.recording import UNLABELLED, Recording, Recordings
from neuraltree.signals.recordings.sample_counts import counts_per_unit, to_counts
from neuraltree.tree.nodes import IntArray

Samples = ArrayLike | Sequence[ArrayLike]


class WindowFeatures(TransformerMixin, BaseEstimator):
    """The integers that exported C computes of windows of samples; a row for each decision.

    Recordings are (samples, channels) arrays, one or a list, or one array (recordings, samples, channels). ``fit``
    learns the scale to integers of 16 bits from them, nothing else; ``transform`` gives the rows of one recording after
    another, in time. Recordings of exactly one window give one row each, so that rows stay beside labels; of longer
    ones ``groups`` and ``targets`` say where rows come from.

    Parameters
    ----------
    window : int
        Samples of a window.
    hop : int, optional
        Samples between decisions, of which ``window`` is a multiple; by default ``window``.
    features : sequence of str, optional
        Names such as ``ch1.sd@64``; by default all candidates, or those of ``lags``.
    lags : sequence of int
        Single samples, counted back from the newest, 0, as features of each channel instead of the candidates.
    channels : sequence of str, optional
        Names; by default ch1, ch2 ...
    rate_hz : float
        The sampling rate, for filters and frequencies.

    Attributes
    ----------
    front_end_ : FrontEnd
        What computes the features; of ``SignalModel``.
    """

    def __init__(
        self,
        window: int = 64,
        hop: int | None = None,
        *,
        features: Sequence[str] | None = None,
        lags: Sequence[int] = (),
        channels: Sequence[str] | None = None,
        rate_hz: float = 1.0,
    ) -> None:
        self.window = window
        self.hop = hop
        self.features = features
        self.lags = lags
        self.channels = channels
        self.rate_hz = rate_hz

    def fit(self, X: Samples, y: Any = None) -> Self:
        """``ValueError`` for samples, names or numbers that are not allowed."""
        del y
        parts = recordings_of(X)
        width = parts[0].shape[1]
        channels = tuple(self.channels) if self.channels is not None else numbered_channels(width)
        if len(channels) != width:
            raise ValueError(f"channels names {len(channels)}, and the samples have {width}")
        made = tuple(Recording(f"{i}", part, np.full(len(part), UNLABELLED)) for i, part in enumerate(parts))
        found = Recordings(made, channels, ("",) * width, self.rate_hz, ())
        hop, groups = self.hop or self.window, axis_groups(channels)
        names = tuple(self.features) if self.features is not None else self._names(channels, groups)
        self.front_end_ = FrontEnd(channels, self.rate_hz, hop, names, groups, counts_per_unit(found))
        self.n_features_in_ = width
        return self

    def transform(self, X: Samples) -> FloatArray:
        """(decisions, features) whole numbers within ±32767."""
        parts, ends = self._read(X)
        front = self.front_end_
        counts = [to_counts(part, front.counts_per_unit) for part in parts]
        found = [front.values(one, own) for one, own in zip(counts, ends, strict=True)]
        return np.concatenate(found).astype(np.float64)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """The names of the columns. ``input_features``: not used."""
        del input_features
        check_is_fitted(self)
        return np.array(self.front_end_.features, dtype=object)

    def groups(self, X: Samples) -> IntArray:
        """(decisions,) the number of the recording that each is of: windows that overlap never lie in two parts if this
        goes to ``fit`` of a tree, or to ``GroupKFold``."""
        _, ends = self._read(X)
        return np.repeat(np.arange(len(ends)), [len(one) for one in ends])

    def targets(self, X: Samples, y: ArrayLike | Sequence[ArrayLike], horizon: int = 0) -> FloatArray:
        """(decisions,) the value of ``y`` that is ``horizon`` samples after the newest of each window, NaN beyond the
        end: leave these rows out. ``y``: (samples,) of each recording, in the same form as ``X``."""
        parts, ends = self._read(X)
        series = [np.asarray(one, dtype=np.float64) for one in _each(X, y)]
        if [one.shape for one in series] != [(len(part),) for part in parts]:
            raise ValueError("y needs one value for each sample of each recording")
        padded = [np.concatenate([one, np.full(horizon, np.nan)]) for one in series]
        return np.concatenate([one[own - 1 + horizon] for one, own in zip(padded, ends, strict=True)])

    def _names(self, channels: Sequence[str], groups: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
        if not len(self.lags):
            return candidates(channels, groups, self.rate_hz, (self.window,))
        return tuple(Wanted(Stream(name), Step("lag", lag), self.window).name for name in channels for lag in self.lags)

    def _read(self, X: Samples) -> tuple[list[FloatArray], list[IntArray]]:
        """The recordings, and where the windows of each end."""
        check_is_fitted(self)
        parts = recordings_of(X)
        if parts[0].shape[1] != self.n_features_in_:
            raise ValueError(f"X has {parts[0].shape[1]} channels; it was fitted with {self.n_features_in_}")
        ends = [self.front_end_.ends(len(part)) for part in parts]
        if not any(map(len, ends)):
            raise ValueError(
                f"no window fits: the longest recording has {max(map(len, parts))} samples, a window "
                f"{self.front_end_.longest}"
            )
        return parts, ends


def recordings_of(X: Samples) -> list[FloatArray]:
    """(samples, channels) of each; a series (samples,) has one channel."""
    parts = [np.asarray(one, dtype=np.float64) for one in _each(X, X)]
    parts = [part[:, None] if part.ndim == 1 else part for part in parts]
    if not parts or any(part.ndim != 2 or part.shape[1] != parts[0].shape[1] for part in parts):
        shapes = ", ".join(str(part.shape) for part in parts[:3])
        raise ValueError(f"recordings have shapes {shapes or 'of nothing'}; give (samples, channels), all of the same")
    return parts


def _each(X: Samples, values: Any) -> Iterable[Any]:
    """The values of each recording of ``X``, which has one or many."""
    return values if _is_many(X) else [values]


def _is_many(X: Samples) -> bool:
    """Whether there is a list of recordings, and not one."""
    if isinstance(X, np.ndarray):
        return X.ndim == 3
    return isinstance(X, Iterable) and not hasattr(X, "shape") and all(np.ndim(one) for one in X)
