"""Raters and items one by one: who differs, who is strict, which items divide."""
