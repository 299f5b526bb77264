"""Trees as Rust."""
