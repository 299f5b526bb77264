"""The gallery of the docs: every picture with the lines that draw it, made by a command."""
