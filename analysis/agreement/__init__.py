"""Inter-rater agreement: coefficients, intervals, comparison, diagnostics, planning."""
