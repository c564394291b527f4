"""The sections of the config: closed, strict, frozen, defaults nowhere else."""
