"""Certificates of robustness under attack."""
