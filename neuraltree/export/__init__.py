"""Trees as code."""

from neuraltree.export.c import export_c as export_c
