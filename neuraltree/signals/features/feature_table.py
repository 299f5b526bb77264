"""The table of features."""

from neuraltree.signals.features.correlations import AUTOCORRELATION, CORRELATION, SLOPE
from neuraltree.signals.features.crossings import MEAN_CROSSINGS, ZERO_CROSSINGS
from neuraltree.signals.features.extremes import CREST, MAX, MIN, RANGE
from neuraltree.signals.features.hjorth import COMPLEXITY, MOBILITY
from neuraltree.signals.features.mean import MEAN
from neuraltree.signals.features.order_statistics import MAD, PERCENTILE
from neuraltree.signals.features.sample_levels import LAG, MEAN_ABS, RAW, RMS
from neuraltree.signals.features.skewness import KURTOSIS, SKEWNESS
from neuraltree.signals.features.spectral import BAND, CENTROID, PEAK, TONE
from neuraltree.signals.features.standard_deviation import SD

FEATURES = {
    feature.name: feature
    for feature in (
        *(MEAN, SD, MIN, MAX, RANGE, RMS, MEAN_ABS, CREST, ZERO_CROSSINGS, MEAN_CROSSINGS),
        *(SLOPE, RAW, LAG, PERCENTILE, MAD, SKEWNESS, KURTOSIS, MOBILITY, COMPLEXITY),
        *(BAND, CENTROID, PEAK, TONE, AUTOCORRELATION, CORRELATION),
    )
}
