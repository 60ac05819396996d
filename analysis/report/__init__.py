"""The report: what stands on the page and how it is written."""
