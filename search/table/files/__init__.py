"""The sources of tables, and their cells as columns: texts, arrays, and tables that are fetched or bundled."""
