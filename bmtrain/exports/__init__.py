"""Models as other programs read them: a visible table of formats, each proved by its own runtime."""
