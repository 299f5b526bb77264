"""The parts that all commands share: parsing, messages, tables and Markdown."""
