"""What fronts promise and what test rows keep: this search and an older one on the same hold-outs."""
