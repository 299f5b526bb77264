"""The parts of the benchmark of the cost model."""
