"""The engine: a population as one sparse network, trained by compiled programs."""
