"""Tests of neuraltree.robustness."""
