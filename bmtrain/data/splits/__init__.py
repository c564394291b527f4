"""Which examples are held out, in what order the others come."""
