"""Names of costs that are needed where the cost model is not."""

MEAN = "mean_latency_s"  # of code with an early exit: the mean over rows
LOAD = "cpu_load"  # share of the time in which the processor is busy with a stream of samples
