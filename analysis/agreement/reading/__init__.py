"""Ratings from files: tables, Label Studio exports."""
