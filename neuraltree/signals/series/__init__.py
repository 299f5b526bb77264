"""Windows and lags of arrays, for estimators."""
