"""Exported C as packages that people build with: for Arduino, PlatformIO and Zephyr."""
