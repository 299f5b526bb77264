"""Filters: what becomes of a channel's samples before features are made of them."""
