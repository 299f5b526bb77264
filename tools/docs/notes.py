"""What the tables in the code have names for but no words."""

from __future__ import annotations

SOURCE_NOTES = (
    "bundled with scikit-learn, or made by it (`friedman1`: 1,200 rows, 10 features, noise 1)",
    ("`openml:ID`", "fetched from OpenML once, and kept by scikit-learn"),
    ("a path, or a name ending in `.csv`, `.tsv`, `.txt`", "a text file: comma, semicolon or tab; a header or none"),
    ("a name ending in `.npz`", "arrays `X`, `y` and, if wanted, `features`, `classes` and one of weights"),
    ("any other name", "that name with `.csv` in the folder `$NEURALTREE_DATA`"),
)
SELECTION_NOTES = {
    "hypervolume": "by exact hypervolume contributions, greedily as in SMS-EMOA; up to 5 objectives",
    "nsga2": "by non-domination and crowding distance (DEAP)",
    "nsga3": "by non-domination and reference directions (DEAP); for many objectives",
}
OPTIMIZER_NOTES = {
    "sgd": "gradient descent",
    "momentum": "with momentum 0.9",
    "nesterov": "with Nesterov's momentum 0.9",
    "adagrad": "steps divided by the root of all squared gradients so far",
    "rmsprop": "steps divided by the root of a running mean of squared gradients",
    "adam": "decays 0.9 and 0.99",
    "adamw": "adam with decoupled weight decay, `train.weight_decay`",
    "reference_adagrad": "as in BNeuralT: no initial accumulator, epsilon 1e-10",
    "reference_rmsprop": "as in BNeuralT: decay 0.9, epsilon 1e-10 inside the root",
    "reference_adam": "as in BNeuralT: both decays 0.9, bias correction of the first step for ever",
}
SCHEDULE_NOTES = {
    "constant": "the learning rate as given",
    "cosine": "down to 0 along half a cosine",
    "linear": "down to 0 along a line",
}
