"""Neural trees as scikit-learn estimators: thin, and honest about what was fitted."""

from neuraltree.estimators.classifier import NeuralTreeClassifier as NeuralTreeClassifier
from neuraltree.estimators.ensembles import ParetoEnsembleClassifier as ParetoEnsembleClassifier
from neuraltree.estimators.ensembles import ParetoEnsembleRegressor as ParetoEnsembleRegressor
from neuraltree.estimators.regressor import NeuralTreeRegressor as NeuralTreeRegressor
