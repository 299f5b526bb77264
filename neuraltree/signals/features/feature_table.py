"""The table of features."""

from neuraltree.signals.features.mean import MEAN
from neuraltree.signals.features.standard_deviation import SD

FEATURES = {feature.name: feature for feature in (MEAN, SD)}
