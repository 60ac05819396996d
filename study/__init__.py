"""What every stage stands on: errors, records, the study file, the grid, run folders."""
