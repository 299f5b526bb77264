"""The tree: its nodes, the rules for a legal tree, its predictions and its files."""
