"""HTML pages and model cards: what is shown is given, nothing of a run is read here."""
