"""Runtime, placement, lowerings, compiled steps, the loop, evaluation."""
