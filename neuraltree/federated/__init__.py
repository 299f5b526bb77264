"""Federated learning: clients keep their rows; sums, weights and errors travel."""

from neuraltree.lazy import lazy_names

_PLACES = {
    "averaged": "neuraltree.federated.averaging",
    "pooled_scaler": "neuraltree.federated.pooling",
    "traffic_bytes": "neuraltree.federated.averaging",
    "training_rounds": "neuraltree.federated.averaging",
}
__all__ = [*_PLACES]
__getattr__, __dir__ = lazy_names(__name__, _PLACES)
