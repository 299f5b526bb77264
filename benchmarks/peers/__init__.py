"""The contenders in the comparison of training speed: one per file, all on one ``Workload``."""
