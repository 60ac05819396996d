"""Every claim checked against the evidence it cites."""
