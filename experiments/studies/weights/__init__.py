"""Statistics of the weights of failed, suboptimal and successful trees, by size."""
