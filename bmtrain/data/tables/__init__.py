"""Readers of CSV, Parquet and JSON Lines: one table of formats, one way to say what is wrong in a cell."""
