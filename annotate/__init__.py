"""Rationales become ratings by clinicians in Label Studio, and ratings become verdicts."""
