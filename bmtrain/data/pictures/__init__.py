"""Readers of pictures: folders, tables of paths, decoding."""
