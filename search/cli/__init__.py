"""The command ``neuraltree``: from a table to a checked model in one line."""
