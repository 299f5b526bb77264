"""Compression of a finished model: a front of smaller models, judged and written as that of a run."""
