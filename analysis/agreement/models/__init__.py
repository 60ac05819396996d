"""Statistical models of ratings, by the libraries that fit them well: an extra, imported where they are asked for."""
