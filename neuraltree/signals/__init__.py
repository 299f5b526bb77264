"""From recordings of sensors to streaming firmware: windows, features, and models that are fed samples."""

from neuraltree.lazy import lazy_names

_PLACES = {
    "WindowFeatures": "neuraltree.signals.series.window_features",
    "lagged": "neuraltree.signals.series.lagged_rows",
}
__all__ = [*_PLACES]
__getattr__, __dir__ = lazy_names(__name__, _PLACES)
