"""The number formats of weights: what values a weight can take, and which of them stands for it."""
