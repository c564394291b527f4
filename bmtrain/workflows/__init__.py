"""One file per command: plain functions that a notebook can call; what a training is, in training/."""
