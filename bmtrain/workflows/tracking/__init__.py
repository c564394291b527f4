"""Where a training's figures go besides its run directory."""
