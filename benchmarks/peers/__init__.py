"""What the training speed of the engine is compared with: one contender a file, all on one ``Workload``."""
