"""One fit: losses, the training loop, the adapter."""
