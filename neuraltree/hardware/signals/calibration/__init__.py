"""The calibration of what streaming code costs: models are run on an emulated core, and figures fitted to them."""
