"""Trees as MicroPython."""
