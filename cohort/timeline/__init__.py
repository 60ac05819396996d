"""The history as numbered evidence lines, and the text that models and raters read."""
