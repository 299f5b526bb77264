"""Parts: quantities of a window that several features share."""
