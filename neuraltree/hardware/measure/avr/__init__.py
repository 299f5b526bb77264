"""Measurement on AVR: a program that makes the calls and reports their costs itself, run by simavr."""
