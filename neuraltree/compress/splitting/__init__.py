"""A model in two halves: what a sensor node computes and sends, and what its gateway makes of it."""
