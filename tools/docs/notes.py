"""Descriptions for tables in the code that hold names without descriptions."""

from __future__ import annotations

SOURCE_NOTES = (
    "a table bundled with scikit-learn, or made by it (`friedman1`: 1,200 rows, 10 features, noise 1)",
    ("`openml:ID`", "the data set with this number at OpenML, fetched once and kept by scikit-learn"),
    (
        "a path, or a name ending in `.csv`, `.tsv`, `.txt`",
        "a text file with cells separated by comma, semicolon or tab, with or without a header line",
    ),
    (
        "a name ending in `.npz`",
        "a file with the arrays `X`, `y` and, optionally, `features`, `classes` and an array of row weights",
    ),
    ("any other name", "the file with that name and the ending `.csv` in the folder `$NEURALTREE_DATA`"),
)
SELECTION_NOTES = {
    "hypervolume": "exact hypervolume contributions, with greedy removal as in SMS-EMOA; up to 5 objectives",
    "nsga2": "non-domination ranks, then crowding distances (DEAP)",
    "nsga3": "non-domination ranks, then niches around reference directions (DEAP); for many objectives",
}
OPTIMIZER_NOTES = {
    "sgd": "gradient descent",
    "momentum": "gradient descent with momentum 0.9",
    "nesterov": "gradient descent with Nesterov's momentum 0.9",
    "adagrad": "gradient descent with steps divided by the root of the sum of all squared gradients so far",
    "rmsprop": "gradient descent with steps divided by the root of a running mean of squared gradients",
    "adam": "Adam with decays 0.9 and 0.99",
    "adamw": "Adam with decoupled weight decay, `train.weight_decay`",
    "reference_adagrad": "AdaGrad as in BNeuralT: no initial accumulator, epsilon 1e-10",
    "reference_rmsprop": "RMSprop as in BNeuralT: decay 0.9, epsilon 1e-10 inside the root",
    "reference_adam": "Adam as in BNeuralT: both decays 0.9, the bias correction of the first step in every step",
}
SCHEDULE_NOTES = {
    "constant": "the learning rate stays as given",
    "cosine": "the learning rate falls to 0 along half a cosine",
    "linear": "the learning rate falls to 0 along a straight line",
}
