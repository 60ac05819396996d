"""Requests to a teacher: how many at a time, over what, at what price, and what happens when one fails."""
