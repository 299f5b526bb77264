"""Which nodes a training updates, where it need not update all: neurons at equilibrium, and the fastest of a budget."""
