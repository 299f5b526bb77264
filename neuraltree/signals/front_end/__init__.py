"""The front end of a model: samples to features."""
