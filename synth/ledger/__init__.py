"""The append-only store of everything that was asked and answered."""
