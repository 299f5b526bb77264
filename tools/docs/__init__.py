"""The pages of docs/ that are written from the tables in the code: ``python -m tools.docs``."""
