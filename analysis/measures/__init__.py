"""Numbers from labels, risks and weights: metrics, influences, intervals, sample sizes. No study is known here."""
