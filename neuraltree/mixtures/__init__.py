"""Mixtures of expert trees behind a gate, and trees of several tasks above a shared trunk."""

from neuraltree.lazy import lazy_names

_PLACES = {
    "Mixture": "neuraltree.mixtures.mixture",
    "MixtureClassifier": "neuraltree.mixtures.mixture_estimators",
    "MixtureRegressor": "neuraltree.mixtures.mixture_estimators",
    "Multitask": "neuraltree.mixtures.multitask",
    "fit_mixture": "neuraltree.mixtures.expectation",
    "fit_together": "neuraltree.mixtures.joint_training",
}
__all__ = [*_PLACES]
__getattr__, __dir__ = lazy_names(__name__, _PLACES)
