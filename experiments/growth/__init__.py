"""Trees of many weights, trained in mini-batches while leaf edges come and go."""
