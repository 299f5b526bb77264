"""Two time series through the path of recordings: windows, lags, a search, and firmware that is fed samples."""
