"""What a teacher is told of the outcome: the positions of the hindsight dial."""
