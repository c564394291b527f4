"""A training from its plan to its end: what train runs, and what it leaves behind."""
