"""Networks of the literature as tables of layers, to compare sizes with."""
