"""Parts of the benchmarks of the engine: its use of JAX, its memory, and whole searches by an older engine too."""
