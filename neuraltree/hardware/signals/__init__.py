"""The cost of a front end on a device: of the filters, windows and features that a model reads."""
