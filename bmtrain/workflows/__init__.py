"""One file per command: plain functions that a notebook can call."""
