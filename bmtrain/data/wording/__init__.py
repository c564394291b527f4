"""Names and values in messages: quoted, cut, compared; what a text that looks like a number is."""
