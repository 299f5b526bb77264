"""Linear models, multilayer perceptrons and decision trees, fitted by scikit-learn to one sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from search.baselines.baseline_models import Cart, Model, Network, Sample, dense, least_of_leaf

Made = dict[int, Model]  # by size; 0 if a row of the table has only one model

LINEAR_STEPS = 1000
MLP_BATCH, MLP_RATE, MLP_EPOCHS = 64, 0.01, 500
MLP_STEPS = 10_000  # the most steps, about: a large table needs fewer epochs


def linear(sample: Sample, penalty: float, seed: int) -> Made:
    """Ridge regression, or logistic regression with an L2 penalty: ``penalty`` / 2 × |weights|² on the summed loss."""
    from sklearn.linear_model import LogisticRegression, Ridge

    del seed  # both are convex
    if sample.kind == "regression":
        model: Any = Ridge(alpha=penalty)
    else:
        model = LogisticRegression(C=1 / penalty, max_iter=LINEAR_STEPS)
    model.fit(sample.X, sample.y, sample_weight=sample.weight)
    return {0: dense([np.atleast_2d(model.coef_).T], [np.atleast_1d(model.intercept_)])}


def mlp(sample: Sample, penalty: float, seed: int, *, hidden: int) -> Made:
    """A multilayer perceptron with one hidden layer of ReLU units."""
    return {0: network_of(fitted_mlp(sample, penalty, seed, hidden))}


def cart(sample: Sample, penalty: float, seed: int) -> Made:
    """A decision tree cut back by cost-complexity pruning: ``penalty`` per leaf, in units of the mean impurity."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind = DecisionTreeRegressor if sample.kind == "regression" else DecisionTreeClassifier
    model = kind(ccp_alpha=penalty, min_samples_leaf=least_of_leaf(len(sample.X)), random_state=seed)
    model.fit(sample.X, sample.y, sample_weight=sample.weight)
    return {0: Cart(model, sample.kind)}


def fitted_mlp(sample: Sample, penalty: float, seed: int, hidden: int) -> Any:
    """scikit-learn's multilayer perceptron, trained by Adam until its loss stops falling."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    batch = min(MLP_BATCH, len(sample.y))
    kind = MLPRegressor if sample.kind == "regression" else MLPClassifier
    model = kind(
        hidden_layer_sizes=(hidden,),
        alpha=penalty,
        batch_size=batch,
        learning_rate_init=MLP_RATE,
        max_iter=max(1, min(MLP_EPOCHS, MLP_STEPS * batch // len(sample.y))),
        random_state=seed,
    )
    return model.fit(sample.X, sample.y, sample_weight=sample.weight)


def network_of(model: Any) -> Network:
    """A fitted MLP as a network; its outputs are logits, before the logistic or softmax function."""
    return dense([weights.copy() for weights in model.coefs_], [bias.copy() for bias in model.intercepts_])
