"""The engine in C: its sources, their compilation, and the calls. No JAX is needed here."""
