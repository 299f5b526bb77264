"""Code for devices that the command line chooses and writes."""
