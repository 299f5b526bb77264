"""Trees learned by clients that keep their rows."""
