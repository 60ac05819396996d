"""Patient records become cases: who, when, what happened, and the history as citable evidence."""
