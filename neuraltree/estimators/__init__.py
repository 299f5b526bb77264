"""Neural trees as scikit-learn estimators: single trees, and ensembles of the members of a front."""

from neuraltree.estimators.classifier import NeuralTreeClassifier as NeuralTreeClassifier
from neuraltree.estimators.ensembles import ParetoEnsembleClassifier as ParetoEnsembleClassifier
from neuraltree.estimators.ensembles import ParetoEnsembleRegressor as ParetoEnsembleRegressor
from neuraltree.estimators.regressor import NeuralTreeRegressor as NeuralTreeRegressor
