"""Results as Markdown and figures, from the CSV files alone: one module for each experiment, named as that of its runs.

``render(rows, results)`` writes ``NAME.md`` and figures into the folder ``results``; ``headline(rows)`` gives the
experiment's section of ``results/README.md``. ``rows`` are those of the CSV file, cells as text.
"""
