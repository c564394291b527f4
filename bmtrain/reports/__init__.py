"""One HTML page, or a model card: what is shown is given, nothing of a run is read here."""
