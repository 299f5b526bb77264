"""Device profiles: one TOML file each, checked and loaded."""
