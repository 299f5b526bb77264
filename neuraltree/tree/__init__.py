"""The tree itself: its nodes, what is legal, how it predicts, and its files."""
