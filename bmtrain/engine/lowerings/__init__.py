"""Faster computations of the same layer with the same weights, a file per family, in one visible table."""
