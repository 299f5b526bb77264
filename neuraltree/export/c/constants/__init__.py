"""The constants of a model as one block that a program can replace without being built again."""
