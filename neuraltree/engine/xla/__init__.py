"""The engine as programs of XLA: the second lowering, for processors without a kernel, and for GPUs."""
