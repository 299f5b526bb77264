"""The server of live report pages."""
