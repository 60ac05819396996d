"""How risk is read from a fitted model."""
