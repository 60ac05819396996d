"""Base models: loaded, named, checked."""
