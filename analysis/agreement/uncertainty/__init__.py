"""Standard errors, resampling and intervals of coefficients."""
