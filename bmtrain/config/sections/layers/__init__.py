"""Layers as the config has them, a file per family: arguments with Keras's names and meanings."""
