"""Descriptions for what the code recognises without a table."""

from __future__ import annotations

SOURCE_NOTES = (
    "a table bundled with scikit-learn, or made by it (`friedman1`: 1,200 rows, 10 features, noise 1)",
    ("`openml:ID`", "the data set with this number at OpenML, fetched once and kept by scikit-learn"),
    (
        "a path, or a name ending in `.csv`, `.tsv`, `.txt`",
        "a text file with cells separated by comma, semicolon, tab or bar, with or without a header line, also with "
        "`.gz`; several of one header as in `parts/*.csv`; [data.md](data.md) says more",
    ),
    (
        "a name ending in `.parquet`, `.arrow`, `.feather`",
        "the columns of a Parquet or Arrow file, if pyarrow is installed; several as in `parts/*.arrow`",
    ),
    (
        "a name ending in `.npy`",
        "the columns of an array `(rows, columns)`, named `x0`, `x1` and so on, or the fields of an array of records; "
        "several as in `parts/*.npy`",
    ),
    (
        "a name ending in `.npz`",
        "a file with the arrays `X`, `y` and, optionally, `features`, `classes` and an array of row weights",
    ),
    ("any other name", "the file with that name and the ending `.csv` in the folder `$NEURALTREE_DATA`"),
)
