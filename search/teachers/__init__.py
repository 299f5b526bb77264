"""Trees that learn from ordinary models, their teachers."""
