"""What several pictures agree on."""

EMPTY = "no tree met the constraints"
MANY = 60  # members; more are drawn smaller, or fainter
