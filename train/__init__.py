"""Cases and rationales become adapters, and adapters predictions."""
