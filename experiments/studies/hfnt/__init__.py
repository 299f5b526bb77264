"""Trees and ensembles by the cross-validation of HFNT's tables."""
