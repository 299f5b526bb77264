"""Report pages as files."""
