"""Running a search: the loop, its progress, its interrupts."""
