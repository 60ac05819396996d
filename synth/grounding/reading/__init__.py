"""A sentence read beside a history: what it names, how it is said, its numbers."""
