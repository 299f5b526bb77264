"""Trees that are trained before a drift, and in part after it, as a device would."""
