"""Our trees, and models of other kinds and programs, as C with what Python says of them."""
