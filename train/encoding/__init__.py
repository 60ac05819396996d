"""Text with loss groups becomes token ids with loss groups."""
