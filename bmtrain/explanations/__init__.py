"""What explanations are of and how they are shown: parts of an example, pictures, a page."""
