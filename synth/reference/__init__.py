"""What the built-in teacher writes, and the faults that can be planted in it."""
