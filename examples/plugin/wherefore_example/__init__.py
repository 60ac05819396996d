"""One part of every kind for Wherefore. Copy the file you need, and its entry point in `pyproject.toml`."""
