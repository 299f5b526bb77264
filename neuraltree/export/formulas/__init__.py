"""Trees as formulas."""
