"""A grading page of our own, in front of Label Studio: it keeps nothing, and shows a rater nobody else's work."""
