"""What explanations are of: parts of an example; what a column is worth."""
