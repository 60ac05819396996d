"""How well predictions do: discrimination, calibration, paired comparison, errors."""
