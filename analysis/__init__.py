"""Ratings become agreement; predictions become discrimination, calibration, comparison; all become a report."""
