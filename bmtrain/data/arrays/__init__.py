"""Readers of IDX, NPY and NPZ."""
