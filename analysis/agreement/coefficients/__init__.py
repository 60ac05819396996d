"""Agreement coefficients: from a table of ratings to a number."""
