"""What a report page shows, as plain data."""
