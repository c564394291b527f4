"""From columns, pictures and texts to the array that a model takes: fitted once, kept with the model."""
