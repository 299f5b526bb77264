"""Oracles, strategies and made-up models and runs that tests share."""
