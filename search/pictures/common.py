"""A text and a limit that several pictures share."""

EMPTY = "no tree met the constraints"
MANY = 60  # members; more are drawn smaller, or fainter
