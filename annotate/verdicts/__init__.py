"""From ratings to verdicts: the declared rule, latent classes, corrections."""
