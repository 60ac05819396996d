"""Prompts, the grading form, report pages. Jinja2 files only; no code."""
