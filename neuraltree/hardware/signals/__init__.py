"""Models that are fed samples, as exported code runs them."""
