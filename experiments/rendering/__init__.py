"""Shared parts of the pages that show results as Markdown and figures, made from the CSV files alone.

Each experiment has a ``page`` module. Its ``render(rows, results)`` writes ``NAME.md`` and figures into the folder
``results``; its ``headline(rows)`` returns the experiment's section of ``results/README.md``. ``rows`` are the rows of
the CSV file, with cells as text.
"""
