"""The parts of ``compare``: the runs, the evidence, its words."""
