"""The shapes that tables of ratings have: each file finds one of them and gives its ratings, one a row."""
