"""Answers with less work: a class as soon as it is certain, and a small model before a large one."""
